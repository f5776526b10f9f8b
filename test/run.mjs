// `npm test`. Sets up what is missing, checks the code, runs every test, and ends with one line `N passed, N failed`.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installPackages, node, root, run, say } from '../deploy/local/install.mjs';
import { ensureJars, findJava } from '../deploy/local/jars.mjs';

/** Bytes of memory. A platform, a stack of containers and what the tests share are together some eight gigabytes. */
const ROOM_FOR_BOTH = 12e9;

try {
  await findJava();
  await ensureJars(say);
  await installPackages();
} catch (error) {
  process.stderr.write(`tributary: ${error.message}\n`);
  process.exit(2);
}
process.env.PATH = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;

let interrupted;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted = signal;
  });
}
/** Runs one part to its end, and none once it was told to stop. */
const part = async (program, args) => (interrupted ? undefined : run(program, args));

let checked = false;
const check = async () => {
  say('npm run check');
  checked = (await part('npm', ['run', '--silent', 'check'])) === 0;
};

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const reports = [];
const tests = (...args) => {
  const report = join(tmpdir(), `tributary-tests-${process.pid}-${reports.length}.json`);
  reports.push(report);
  return part(node, [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args]);
};

/** Whole platforms, and then containers: one at a time, and most of that is waiting, for what starts and for what was killed. */
const platforms = async () => {
  await check();
  await tests('--project', 'platform');
  // Whoever makes an engine for them meanwhile makes this file when it is there, or will not be.
  const { TRIBUTARY_TEST_CONTAINERS_AFTER: settled } = process.env;
  while (settled && !existsSync(settled) && !interrupted) await sleep(1_000);
  await tests('--project', 'containers');
};
const others = () => tests('--project', 'unit', '--project', 'broker');

const chosen = process.argv.slice(2);
if (chosen.length > 0) {
  await check();
  await tests(...chosen);
} else if (totalmem() >= ROOM_FOR_BOTH) {
  await Promise.all([others(), platforms()]);
} else {
  await others();
  await platforms();
}
if (interrupted) process.exit(128 + constants.signals[interrupted]);

let passed = 0;
let failed = checked ? 0 : 1;
const skipped = [];
for (const report of reports) {
  try {
    for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
      // A file that could not be loaded has no tests to count, and must not look like a success.
      if (file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')) failed++;
      for (const { status, fullName } of file.assertionResults) {
        if (status === 'passed') passed++;
        else if (status === 'failed') failed++;
        else skipped.push(fullName);
      }
    }
    rmSync(report);
  } catch (error) {
    say(`the tests wrote no report: ${error.message}`);
    failed++;
  }
}

say(checked ? 'check: passed' : 'check: FAILED, see above');
say(skipped.length === 0 ? 'skipped: nothing' : `skipped: ${skipped.join('; ')}`);
say(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
