/**
 * Plants each known bug in a copy of the project and runs the tests that must catch it, which pass while nothing is planted. Exit code 1
 * when one is not caught, or can no longer be planted. `npm run test:mutation [-- FILE…]`; FILE: only bugs in these files, or in files
 * of these folders.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyProject } from '../support/copy-project.ts';
import { startPlatform } from '../support/platform.ts';
import { plantedBugs } from './planted-bugs.ts';

const places = process.argv.slice(2);
const wanted = plantedBugs.filter(
  ({ edits }) => places.length === 0 || edits.some(({ file }) => places.some((place) => file.startsWith(place))),
);
if (wanted.length === 0) throw new Error(`no bug is known in ${places.join(', ')}`);

const root = join(import.meta.dirname, '..', '..');
const copy = mkdtempSync(join(tmpdir(), 'tributary-mutation-'));
copyProject(copy);
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

const platform = await startPlatform({ parts: ['kafka', 'registry', 'clickhouse'] });
const env = {
  ...process.env,
  TRIBUTARY_TEST_KAFKA_BROKERS: platform.brokers,
  TRIBUTARY_TEST_REGISTRY_URL: platform.registryUrl,
  TRIBUTARY_TEST_CLICKHOUSE_URL: platform.clickhouseUrl,
  TRIBUTARY_TEST_CLICKHOUSE_PASSWORD: platform.clickhousePassword,
};

interface Ran {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs tests in the copy as it is.
 * @throws Error when one of the files has no test that ran: a broken start, a file that cannot be loaded, a kill
 */
function runTests(project: string, tests: readonly string[]): Ran {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = [
    'run',
    '--root',
    copy,
    '--project',
    project,
    '--bail',
    '1',
    '--reporter',
    'json',
    '--outputFile',
    report,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...args, ...tests], {
    cwd: copy,
    env,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 240_000,
  });
  const counts = existsSync(report) ? countsIn(readFileSync(report, 'utf8')) : [];
  const ran = counts.filter(({ passed, failed }) => passed + failed > 0);
  if (ran.length !== tests.length) throw new Error(`of ${tests.join(', ')} not all ran:\n${stdout}\n${stderr}`);
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  return { passed: sum(ran.map(({ passed }) => passed)), failed: sum(ran.map(({ failed }) => failed)) };
}

/** By file, how many tests passed and failed. */
function countsIn(report: string): Ran[] {
  const { testResults } = JSON.parse(report) as {
    readonly testResults: readonly { readonly assertionResults: readonly { readonly status: string }[] }[];
  };
  return testResults.map(({ assertionResults }) => {
    const count = (wanted: string): number => assertionResults.filter(({ status }) => status === wanted).length;
    return { passed: count('passed'), failed: count('failed') };
  });
}

let caught = 0;
const missed: string[] = [];
try {
  for (const [project, bugs] of Map.groupBy(wanted, ({ project }) => project)) {
    for (const file of new Set(bugs.flatMap(({ tests }) => tests)))
      if (runTests(project, [file]).failed > 0) throw new Error(`${file} fails where nothing is planted`);
  }
  for (const { name, edits, tests, project } of wanted) {
    const originals = new Map(edits.map(({ file }) => [file, readFileSync(join(root, file), 'utf8')]));
    for (const { file, right, wrong } of edits) {
      const text = readFileSync(join(copy, file), 'utf8');
      if (text.split(right).length !== 2) throw new Error(`"${name}" can no longer be planted in ${file}`);
      writeFileSync(
        join(copy, file),
        text.replace(right, () => wrong),
      );
    }
    if (runTests(project, tests).failed === 0) missed.push(name);
    else caught++;
    console.log(`${missed.at(-1) === name ? 'MISSED' : 'caught'}  ${name}`);
    for (const [file, text] of originals) writeFileSync(join(copy, file), text);
  }
} finally {
  await platform.stop();
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${caught} planted bugs caught, ${missed.length} missed`);
process.exit(missed.length > 0 ? 1 : 0);
