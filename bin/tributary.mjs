#!/usr/bin/env node
// The operator's tool. It needs Node 24; on an older one it runs itself with the Node among the packages.
import '../deploy/local/require-packages.mjs';
import { spawn } from 'node:child_process';
import module from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, root } from '../deploy/local/install.mjs';

const main = join(root, 'services', 'console', 'cli', 'main.ts');

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Half of a short command's time is reading its own code.
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'compiled'));
  const { run } = await import(main);
  process.exitCode = await run(process.argv.slice(2));
} else {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}
