import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { identify, isRunning, type ProcessIdentity } from '../../../deploy/local/process-identity.ts';
import { watchOver } from '../../../deploy/local/watchdog.ts';

it('the watchdog ends the children, and no other process that has a child’s number by now', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary watchdog-'));
  const [child, stubborn, other] = Array.from({ length: 3 }, (_, i) => {
    const process_ = spawn('/bin/sh', ['-c', `${i === 1 ? "trap '' TERM; " : ''}echo; while :; do sleep 1; done`]);
    return { process: process_, identity: identify(process_.pid as number) as ProcessIdentity };
  }) as [Started, Started, Started];
  onTestFinished(() => {
    for (const one of [child, stubborn, other]) one.process.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  // By then the one has its trap.
  await Promise.all([child, stubborn, other].map((one) => once(one.process.stdout as Readable, 'data')));
  writeFileSync(join(folder, 'child'), JSON.stringify(child.identity));
  writeFileSync(join(folder, 'stubborn'), JSON.stringify(stubborn.identity));
  writeFileSync(join(folder, 'earlier'), JSON.stringify({ ...other.identity, started: '1' }));
  const ended = Promise.all([once(child.process, 'exit'), once(stubborn.process, 'exit')]);
  watchOver(folder)();
  const [[, byTerm], [, byKill]] = await ended;
  expect([byTerm, byKill]).toEqual(['SIGTERM', 'SIGKILL']);
  expect(isRunning(other.identity)).toBe(true);
});

interface Started {
  readonly process: ReturnType<typeof spawn>;
  readonly identity: ProcessIdentity;
}
