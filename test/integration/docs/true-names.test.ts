import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { invocationOf } from '../../../services/console/cli/config.ts';
import { run } from '../../../services/console/cli/main.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = globSync('{services,deploy}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
const code = new Map(sources.map((file) => [file, read(file)]));
const operations = read('docs/operations.md');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
  ...globSync('{services,deploy,schemas,test}/**/README.md', { cwd: root }),
];
/** What the supervisor, or the stand-in of ClickHouse's image, sets by itself. */
const internal = new Set(['CLICKHOUSE_DIRECTORY', 'CLICKHOUSE_CONFIG_FILE', 'CLICKHOUSE_HOST']);

const settings = [...code].flatMap(([file, text]) =>
  [
    ...text.matchAll(
      /\b(?:text|flag|list|lines|port|count|oneOf)\(\s*(?:\[[^\]]*\],\s*)?'([A-Z_]+)',\s*(?:'[^']*'|`[^`]*`)(?:,\s*'([^']*)')?/g,
    ),
  ].map(([, name, fallback]) => ({ file, name: name as string, fallback })),
);
/** What the compose files put in. */
const composed = ['docker-compose.yml', 'deploy/docker/exposed.yml'].flatMap((file) =>
  [...read(file).matchAll(/\$\{TRIBUTARY_([A-Z_]+)/g)].map(([, name]) => name as string),
);
const rowOf = (name: string): string | undefined =>
  operations.split('\n').find((line) => line.startsWith('|') && line.includes(`\`TRIBUTARY_${name}\``));

test('docs/operations.md tells of every setting, with its default', () => {
  expect(settings.length).toBeGreaterThan(50);
  const wanted = settings.filter(({ name }) => !internal.has(name));
  expect(wanted.filter(({ name }) => rowOf(name) === undefined)).toEqual([]);
  // The local platform and the tool name some again, with a default of their own.
  const first = wanted.filter(({ file }) => !file.startsWith('deploy/local/options') && !file.includes('/cli/'));
  const wrong = first.filter(({ name, fallback }) => fallback && !rowOf(name)?.includes(`\`${fallback}\``));
  expect(wrong).toEqual([]);
});

test('.env.example has every setting of docker-compose.yml, with its default', () => {
  const given = [...read('docker-compose.yml').matchAll(/\$\{(TRIBUTARY_[A-Z_]+)(?::-([^}]*))?/g)];
  const wanted = new Set(given.map(([, name, fallback = '']) => `${name}=${fallback}`));
  expect(
    read('.env.example')
      .match(/^TRIBUTARY_.*$/gm)
      ?.toSorted(),
  ).toEqual([...wanted].toSorted());
});

test('docs/operations.md tells of every metric, and of none besides', () => {
  const made = [...code.values()].flatMap((text) =>
    [...text.matchAll(/name: '(tributary_\w+)'/g)].map(([, name]) => name as string),
  );
  const told = [...operations.matchAll(/^\| `(tributary_\w+)` \|/gm)].map(([, name]) => name as string);
  expect(told.toSorted()).toEqual([...new Set(made)].toSorted());
});

test.each(pages)('%s names only settings, scripts and files that are there', (page) => {
  const text = read(page);
  const variables = new Set([...settings.map(({ name }) => name), ...composed]);
  const named = [...text.matchAll(/TRIBUTARY_([A-Z][A-Z_]*[A-Z])/g)].map(([, name]) => name as string);
  expect(named.filter((name) => !variables.has(name) && !name.startsWith('TEST_'))).toEqual([]);

  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const run = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name as string);
  expect(run.filter((name) => !(name in scripts))).toEqual([]);

  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target]) => target as string);
  expect(links.filter((target) => !existsSync(join(root, page, '..', target)))).toEqual([]);
});

/** Commands of the operator's tool that a page shows, in the words that a shell would make of them. */
const toldCommands = pages.flatMap((page) =>
  [...read(page).matchAll(/npx tributary ([a-z][^`|>\n]*)/g)].map(([, line = '']) => ({
    page,
    words: [...line.replace(/\s(#|\\$).*/, '').matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word),
  })),
);

test.each(toldCommands)('$page tells a command that there is: $words', async ({ words }) => {
  const said: string[] = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    expect([await run([...words, '--help']), said.join('')]).toEqual([0, expect.stringMatching(/^tributary [a-z]/)]);
  } finally {
    vi.restoreAllMocks();
  }
  // What is no part of a command's name are its arguments.
  const invocation = invocationOf(words);
  const usage = said.join('').slice('tributary '.length).split('\n', 1)[0] ?? '';
  expect('errors' in invocation ? invocation.errors : invocation.words.length, usage).toBeLessThanOrEqual(
    usage.split(' ').length,
  );
});
