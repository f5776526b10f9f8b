#!/usr/bin/env node
// The operator's tool, in the image of the services: `docker compose exec console tributary status`.
import { run } from '../../services/console/cli/main.ts';

// What a replay keeps, and how far an import is; beside the folders of the service itself.
process.env.TRIBUTARY_DATA ??= '/data/tool';
process.exitCode = await run(process.argv.slice(2));
