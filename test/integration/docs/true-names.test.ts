import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

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
