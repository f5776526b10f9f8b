/**
 * Plants each known bug in a copy of the project and runs the tests that must catch it. Exit code 1 when one is not caught, or can no
 * longer be planted. `npm run test:mutation`
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startPlatform } from '../support/platform.ts';
import { plantedBugs } from './planted-bugs.ts';

const root = join(import.meta.dirname, '..', '..');
const copy = mkdtempSync(join(tmpdir(), 'tributary-mutation-'));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(Boolean);
for (const file of files) {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  cpSync(join(root, file), join(copy, file));
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

const platform = await startPlatform({ parts: ['kafka', 'registry'] });
const env = {
  ...process.env,
  TRIBUTARY_TEST_KAFKA_BROKERS: platform.brokers,
  TRIBUTARY_TEST_REGISTRY_URL: platform.registryUrl,
};

/** Whether the tests pass in the copy as it is. */
function testsPass(project: string, tests: readonly string[]): boolean {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const result = spawnSync(
    process.execPath,
    [vitest, 'run', '--root', copy, '--project', project, '--bail', '1', ...tests],
    {
      cwd: copy,
      env,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      timeout: 240_000,
    },
  );
  // Only a test that ran and failed counts as caught: not a broken start, not a kill.
  if (result.status !== 0 && !/\d+ failed/.test(result.stdout))
    throw new Error(`the tests did not run:\n${result.stdout}\n${result.stderr}`);
  return result.status === 0;
}

let caught = 0;
const missed: string[] = [];
try {
  for (const { name, edits, tests, project } of plantedBugs) {
    const originals = new Map(edits.map(({ file }) => [file, readFileSync(join(root, file), 'utf8')]));
    for (const { file, right, wrong } of edits) {
      const text = readFileSync(join(copy, file), 'utf8');
      if (text.split(right).length !== 2) throw new Error(`"${name}" can no longer be planted in ${file}`);
      writeFileSync(
        join(copy, file),
        text.replace(right, () => wrong),
      );
    }
    if (testsPass(project, tests)) missed.push(name);
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
