#!/usr/bin/env node
// The operator's tool. It needs Node 24; on an older one it runs itself with the Node among the packages.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'services', 'console', 'cli', 'main.ts');

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { run } = await import(main);
  process.exitCode = await run(process.argv.slice(2));
} else {
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write('tributary: packages are missing; run npm ci (or npm start) first\n');
    process.exit(2);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}
