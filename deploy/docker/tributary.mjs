#!/usr/bin/env node
// The operator's tool, in the image of the services: `docker compose exec console tributary status`.
import { run } from '../../services/console/cli/main.ts';

process.exitCode = await run(process.argv.slice(2));
