import { expect, it } from 'vitest';
import { changeLine, table } from './table.ts';

const kafka = {
  name: 'kafka',
  kind: 'service',
  state: 'ready',
  since: 0,
  pid: 7,
  restarts: 2,
  isWaiting: false,
  residentBytes: 160e6,
  note: 'killed by SIGKILL',
} as const;
const waiting = {
  ...kafka,
  name: 'console',
  state: 'stopped',
  pid: undefined,
  restarts: 0,
  isWaiting: true,
  residentBytes: undefined,
  note: '',
} as const;
const provision = {
  name: 'provision',
  kind: 'task',
  state: 'ready',
  since: 0,
  pid: undefined,
  restarts: 0,
  isWaiting: false,
  residentBytes: undefined,
  note: '',
} as const;

it('shows all that is known in columns', () => {
  expect(table([kafka, provision, waiting], 65_000, 80, false)).toEqual([
    'process    state    since  memory  restarts',
    'kafka      ready    1 min  160 MB         2  killed by SIGKILL',
    'provision  done     1 min',
    'console    waiting',
  ]);
});

it('never is wider than the terminal', () => {
  for (const line of table([kafka, provision], 0, 30, false)) expect(line.length).toBeLessThan(30);
});

it('tells a change with its reason', () => {
  expect(changeLine({ ...kafka, state: 'backing-off' })).toBe('kafka              restarting: killed by SIGKILL');
  expect(changeLine(kafka)).toBe('kafka              ready again (restart 2)');
});
