// The Java half of the local platform: finds Java, and fetches Kafka's and the registry's jars with Maven, once.
// Runs before the packages are installed, so on whatever Node the machine has: built-ins only.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const pom = join(here, 'pom.xml');
const leastJava = 17;

/** The folder of jars that belongs to today's pom.xml, whether or not it is there yet. */
export function jarFolder(env = process.env) {
  const cache = resolve(env.TRIBUTARY_PLATFORM_CACHE || join(here, '..', '..', '.tributary-platform'));
  return join(cache, createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12));
}

/** The `java` command. @throws Error with one line that says what to do. */
export async function findJava(env = process.env) {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const remedy = `install Java ${leastJava} or later, or set JAVA_HOME to it`;
  const found = await run(java, ['-version']).catch(() => undefined);
  if (found === undefined) throw new Error(`Java is missing (no ${java}); ${remedy}`);
  const version = /version "(?:1\.)?(\d+)/.exec(found)?.[1];
  if (version === undefined || Number(version) < leastJava)
    throw new Error(`Java ${version ?? '(unknown version)'} is too old; ${remedy}`);
  return java;
}

/**
 * Makes sure that the jars are there; does nothing when they are. Safe to be called by several processes at once.
 * @returns their folder. @throws Error with one line that says what to do.
 */
export async function ensureJars(say = () => {}, env = process.env) {
  const folder = jarFolder(env);
  if (existsSync(folder)) return folder;
  await run('mvn', ['-v'], env).catch(() => {
    throw new Error('Maven is missing (no mvn on the PATH); install Maven 3.6 or later, it fetches Kafka once');
  });
  const part = `${folder}.part-${process.pid}`;
  mkdirSync(part, { recursive: true });
  const began = Date.now();
  say('fetching Kafka and the schema registry with Maven (once)');
  try {
    await mavenFetch(part, say, env);
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  say(`fetched in ${Math.round((Date.now() - began) / 1000)} s`);
  return folder;
}

function mavenFetch(folder, say, env) {
  const args = ['-B', '-f', pom, `-Dcache=${folder}`, 'generate-resources'];
  return new Promise((done, fail) => {
    const maven = spawn('mvn', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let fetched = 0;
    let last = '';
    let told = Date.now();
    const read = (text) => {
      for (const line of String(text).split('\n')) {
        if (/Downloaded from/.test(line)) fetched++;
        if (/ERROR/.test(line) && last === '') last = line.trim();
      }
      if (Date.now() - told < 3000) return;
      told = Date.now();
      say(`  ${fetched} files`);
    };
    maven.stdout.on('data', read);
    maven.stderr.on('data', read);
    maven.on('error', fail);
    maven.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`Maven could not fetch the platform (exit code ${code}): ${last}`)),
    );
  });
}

/** What a command prints. */
function run(command, args, env = process.env) {
  return new Promise((done, fail) => {
    execFile(command, args, { env }, (error, stdout, stderr) => (error ? fail(error) : done(`${stdout}${stderr}`)));
  });
}
