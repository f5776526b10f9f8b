import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { jarFolder } from '../../../deploy/local/jars.mjs';

const execute = promisify(execFile);

/** Makes a folder once, beside the platform's jars, named by what goes into it. */
async function kept(name: string, recipe: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const folder = join(dirname(jarFolder()), `${name}-${digest}`);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part-${process.pid}`;
  try {
    mkdirSync(part, { recursive: true });
    await make(part);
    renameSync(part, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** What a program could not do, in one line. */
const explained = (what: string, remedy: string) => (error: Error & { code?: unknown; stderr?: string }) => {
  const isMissing = error.code === 'ENOENT' || /No module named pip/.test(error.stderr ?? '');
  throw new Error(isMissing ? `${what} is missing; ${remedy}` : `${what}: ${error.stderr || error.message}`);
};

const sdks = join(import.meta.dirname, 'python', 'requirements.txt');

/**
 * Python packages: the SDKs, or what another list names.
 * @returns the value of PYTHONPATH that finds them
 */
export function pythonPackages(list = sdks): Promise<string> {
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target'];
  return kept('sdk-python', readFileSync(list, 'utf8'), (folder) =>
    execute('python3', [...install, folder, '-r', list]).catch(
      explained('Python with pip', 'install Python 3.9 or later with pip (Debian: apt-get install python3-pip)'),
    ),
  );
}

/** A Java SDK with what it needs. @returns the class path */
export const javaPackages = (group: string, version: string): Promise<string> =>
  jarsOf(join(import.meta.dirname, 'java', 'pom.xml'), [`-Dsdk.group=${group}`, `-Dsdk.version=${version}`]);

/** What a POM depends on. @returns the class path */
export async function jarsOf(pom: string, properties: readonly string[] = []): Promise<string> {
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const folder = await kept('sdk-java', `${readFileSync(pom, 'utf8')}${properties}`, (folder) =>
    execute('mvn', ['-B', '-q', '-f', pom, goal, `-DoutputDirectory=${folder}`, ...properties]).catch(
      explained('Maven', 'install Maven 3.6 or later'),
    ),
  );
  return join(folder, '*');
}
