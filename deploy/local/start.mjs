// `npm start`, and what else needs the local platform. Runs on whatever Node the machine has, before anything is installed: built-ins only.
import { join } from 'node:path';
import { installPackages, node, root, run, say } from './install.mjs';
import { ensureJars, findJava } from './jars.mjs';

/** What can be run on the local platform besides itself: `start.mjs NAME …`. */
const programs = {
  chaos: ['deploy', 'local', 'chaos.ts'],
  bench: ['test', 'bench', 'run.ts'],
  soak: ['test', 'bench', 'soak.ts'],
  integrity: ['test', 'integrity', 'run.ts'],
};
const named = Object.hasOwn(programs, process.argv[2] ?? '') ? programs[process.argv[2]] : undefined;
const program = named ?? ['deploy', 'local', 'supervisor.ts'];
const args = process.argv.slice(named ? 3 : 2);

try {
  const installing = installPackages();
  installing.catch(() => undefined);
  if (needsJava()) {
    await findJava();
    await ensureJars(say);
  }
  await installing;
} catch (error) {
  process.stderr.write(`tributary: ${error.message}\n`);
  process.exit(2);
}
process.exit(await run(node, [join(root, ...program), ...args]));

function needsJava() {
  const given = (name) => process.env[`TRIBUTARY_${name}`] || args.some((arg) => arg.startsWith(flagOf(name)));
  return !args.includes('--help') && !args.includes('-h') && !(given('KAFKA_BROKERS') && given('REGISTRY_URL'));
}

function flagOf(name) {
  return `--${name.toLowerCase().replace(/_/g, '-')}`;
}
