import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { Operator } from '../../support/operator.ts';
import { Shell } from '../../support/shell.ts';
import { until } from '../../support/until.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'identity.md'), 'utf8');
const example = /^## A worked example\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(page)?.[1] ?? '';

let operator: Operator;
let collector: CollectorProcess;
let shell: Shell;
beforeAll(async () => {
  operator = await Operator.begin();
  await defineSources(operator.installation, { 'local-server': { writeKeys: [{ key: 'local-server' }] } });
  collector = await startCollector(addresses(), operator.installation.prefix);
  await collector.ready();
  shell = new Shell(operator.env, { 'http://127.0.0.1:8080': collector.url });
});
afterAll(async () => {
  shell?.end();
  await collector?.stop();
  await operator?.end();
});

/** What differs from one installation to the next, and what it is called in the page. */
const varying = [
  { pattern: /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, name: 'TIME' },
  { pattern: /\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/g, name: 'PROFILE' },
  { pattern: /\b[\da-f]{32}\b/g, name: 'CLAIM' },
] as const;

/** Names of ids, numbered as they come up for the first time: the same id has the same name wherever it comes. */
class Names {
  readonly #prefix: string;
  readonly #names: ReadonlyMap<string, string>;

  /** @param prefix of the installation's topics */
  constructor(prefix: string, names: ReadonlyMap<string, string> = new Map()) {
    this.#prefix = prefix;
    this.#names = names;
  }

  /** The text as the page would have it, and the names that it knows then. */
  masked(text: string): { readonly text: string; readonly names: Names } {
    const names = new Map(this.#names);
    const nameOf = (id: string, kind: string): string => {
      if (kind === 'TIME') return kind;
      const count = [...names.values()].filter((one) => one.startsWith(kind)).length;
      const name = names.get(id) ?? `${kind}-${count + 1}`;
      names.set(id, name);
      return name;
    };
    const named = varying.reduce((left, { pattern, name }) => left.replace(pattern, (id) => nameOf(id, name)), text);
    const even = evenly(named.replaceAll(this.#prefix, 'tributary.'));
    return { text: even, names: new Names(this.#prefix, names) };
  }

  /** The command with the ids of this installation. */
  unmasked(command: string): string {
    const ids = new Map([...this.#names].map(([id, name]) => [name, id]));
    return command.replace(/\b(PROFILE|CLAIM)-\d+\b/g, (name) => ids.get(name) ?? name);
  }
}

/** Without what only makes columns even. */
const evenly = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, '  '))
    .join('\n')
    .trim();

/** The lines that the page shows; where it has an ellipsis, those that are not shown are not looked at. */
function shownOf(actual: string, shown: string): string {
  if (!shown.split('\n').includes('…')) return actual;
  const wanted = new Set(shown.split('\n'));
  const kept: string[] = [];
  for (const line of actual.split('\n')) {
    if (wanted.has(line)) kept.push(line);
    else if (kept.at(-1) !== '…') kept.push('…');
  }
  return kept.join('\n');
}

test('the worked example of docs/identity.md says what the page shows', async () => {
  const [, file = '', rules = ''] = /```yaml\n# (\S+)\n([\s\S]*?)```/.exec(example) ?? [];
  shell.write(file, rules);
  const steps = [...example.matchAll(/```sh\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/g)];
  expect(steps.length).toBeGreaterThan(5);
  let names = new Names(operator.installation.prefix);
  let posted = 0;
  for (const [, commands = '', output] of steps) {
    const shown = evenly(output ?? '');
    const run = async () => {
      const masked = names.masked(await shell.run(names.unmasked(commands)));
      return { ...masked, text: shownOf(masked.text, shown) };
    };
    let said = await run();
    // Who only asks may have asked before everything had arrived.
    const isAsking = !/--yes|^post/m.test(commands);
    const end = performance.now() + 120_000;
    while (isAsking && said.text !== shown && performance.now() < end) said = await run();
    expect(said.text, commands).toBe(shown);
    names = said.names;
    posted += commands.match(/^post /gm)?.length ?? 0;
    await until('ClickHouse knows all events', async () => {
      const [row] = await operator.warehouse.rows<{ n: string }>('SELECT toString(count()) AS n FROM {db}.events');
      return row?.n === String(posted);
    });
  }
});
