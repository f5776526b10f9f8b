/**
 * `npm run test:integrity`: the long runs whose short ones are in `npm test`. Starts a platform of its own in a temporary directory.
 * Exit code 1 unless the books balance and all that was acknowledged is there.
 */
import { parseArgs } from 'node:util';
import { booksTable, runBooks } from '../support/books-run.ts';
import { startPlatform } from '../support/platform.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const events = Number(values.events);
if (values.help || !(events > 0)) {
  console.log(`npm run test:integrity [-- --events N]

  --events  events of the mixed run, 5 % of them bad; 200000 by default`);
  process.exit(values.help ? 0 : 2);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
say('starting everything');
const running = await startPlatform({ services });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void running.stop().finally(() => process.exit(1)));

const problems: string[] = [];
try {
  say(`${events} events, 5 % of them bad`);
  const report = await runBooks(running.platform, { count: events, run: 'books' });
  console.log(
    `${report.events.toLocaleString('en')} events in ${report.requests.toLocaleString('en')} requests; all had arrived after ${report.seconds.toFixed(0)} s\n`,
  );
  console.log(`${booksTable(report)}\n`);
  problems.push(...report.problems);
} finally {
  await running.stop();
}
console.log(problems.length === 0 ? 'as it must be' : ['NOT as it must be:', ...problems].join('\n  '));
process.exit(problems.length === 0 ? 0 : 1);
