import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { LoadOptions, LoadReport } from './load.ts';

/** CPU that a process has used so far, all threads, microseconds; NaN where the system does not tell. */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

/** CPU used since now, by process; microseconds. */
export function cpuSince(pids: Readonly<Record<string, number>>): () => Record<string, number> {
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuOf(pid)] as const);
  return () => Object.fromEntries(before.map(([name, pid, cpu]) => [name, cpuOf(pid) - cpu]));
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Runs the load generator to its end. */
export function generateLoad(
  options: LoadOptions,
  on: { readonly begin?: () => void; readonly end?: () => void } = {},
): Promise<LoadReport> {
  const script = new URL('./load.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) {
        const told = JSON.parse(line) as { at: 'begin' | 'end' } | { at: 'done'; report: LoadReport };
        if (told.at === 'done') resolve(told.report);
        else on[told.at]?.();
      }
    });
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
  });
}
