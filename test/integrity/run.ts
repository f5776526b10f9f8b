/**
 * `npm run test:integrity`: the long runs whose short ones are in `npm test`. Starts a platform of its own in a temporary directory.
 * Exit code 1 unless the books balance and all that was acknowledged is there; then the data is kept, for whoever looks into it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { booksTable, connectTo, runBooks } from '../support/books-run.ts';
import { killRounds } from '../support/kill-rounds.ts';
import { startPlatform } from '../support/platform.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    'collector-kills': { type: 'string', default: '10' },
    'kafka-kills': { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const events = Number(values.events);
const kills = [
  ['collector', Number(values['collector-kills'])],
  ['kafka', Number(values['kafka-kills'])],
] as const;
if (values.help || !(events > 0) || kills.some(([, times]) => !(times >= 0))) {
  console.log(`npm run test:integrity [-- --events N] [--collector-kills N] [--kafka-kills N]

  --events           events of the mixed run, 5 % of them bad; 200000 by default
  --collector-kills  kill -9 of the collector, each after 500 acknowledged events; 10 by default
  --kafka-kills      the same of Kafka; 3 by default`);
  process.exit(values.help ? 0 : 2);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
say('starting everything');
const dataDir = mkdtempSync(join(tmpdir(), 'tributary-integrity-'));
const running = await startPlatform({ services, dataDir });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void running.stop().finally(() => process.exit(1)));

const connections = connectTo(running.platform);
const problems: string[] = [];
try {
  say(`${events} events, 5 % of them bad`);
  const report = await runBooks(connections, { count: events, run: 'books' });
  console.log(
    `${report.events.toLocaleString('en')} events in ${report.requests.toLocaleString('en')} requests; all had arrived after ${report.seconds.toFixed(0)} s\n`,
  );
  console.log(`${booksTable(report)}\n`);
  problems.push(...report.problems);
  for (const [victim, times] of kills) {
    say(`kill -9 of ${victim}, ${times} times`);
    const killed = await killRounds(running, connections, victim, times);
    const seconds = killed.back.map((one) => (one / 1_000).toFixed(1)).join(', ');
    console.log(
      `kill -9 of ${victim}, ${times} times: ${killed.acknowledged} acknowledged, ${killed.unanswered} without an answer, ${killed.refused} told to come back; ${killed.stored} stored, ${killed.again} of them again, dropped as duplicates; back after ${seconds} s`,
    );
    problems.push(...killed.problems);
  }
} finally {
  const restarts = running.platform.units().map(({ name, restarts }) => `${name} ${restarts}`);
  console.log(`restarts: ${restarts.join(', ')}`);
  await connections.close();
  await running.stop();
  if (problems.length > 0) console.log(`the data is kept in ${dataDir}`);
  else rmSync(dataDir, { recursive: true, force: true });
}
console.log(problems.length === 0 ? 'as it must be' : ['NOT as it must be:', ...problems].join('\n  '));
process.exit(problems.length === 0 ? 0 : 1);
