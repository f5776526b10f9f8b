import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { traitFillsTopic } from '#schemas/topics.ts';
import { applyDefinitions, diffDefinitions, readDefinitions } from '#shared/definitions/apply.ts';
import type { Change } from '#shared/definitions/changes.ts';
import { withHiddenSecrets } from '#shared/definitions/hidden-secrets.ts';
import { Conflict, type Mistake } from '#shared/definitions/mistakes-among.ts';
import { validateDefinitions, type Wanted } from '#shared/definitions/validate.ts';
import { shareFilled } from '../../core/share-filled.ts';
import type { Connections } from '../connections.ts';
import { differencesBetween } from '../differences.ts';
import { type Output, table } from '../output.ts';
import { readTopic } from '../read-topic.ts';
import { Trouble } from '../trouble.ts';

interface Content {
  readonly text: string;
  readonly definitions: readonly Wanted[];
  readonly describe: (mistake: Mistake) => string;
}

export function contentOf(file: string | undefined): Content {
  if (!file) throw new Trouble('which file?', 'a YAML or JSON file; `-` reads what is piped in', 2);
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Trouble(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, '');
  }
  const result = validateDefinitions(text, file);
  if ('errors' in result) throw new Trouble(result.errors.join('\n'), '');
  return { text, ...result };
}

/** Says where in the file it is, when what is wanted cannot be beside what is in force. */
function inFile(error: unknown, { describe }: Content): unknown {
  return error instanceof Conflict ? new Trouble(error.mistakes.map(describe).join('\n'), '') : error;
}

/** Changes as they may be shown. */
const shown = (changes: readonly Change[]): Change[] =>
  changes.map((change) => ({
    ...change,
    before: withHiddenSecrets(change.kind, change.before),
    after: withHiddenSecrets(change.kind, change.after),
  }));

const line = ({ what, kind, name, version }: Change): string =>
  `${what.padEnd(9)}  ${kind}/${name}  version ${version}`;

const withDifferences = (change: Change): string =>
  [
    line(change),
    ...(change.what === 'changed'
      ? differencesBetween(change.before, change.after).map(
          ({ path, before, after }) => `             ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
        )
      : []),
  ].join('\n');

export async function apply(connections: Connections, [file]: readonly string[]): Promise<Output> {
  const content = contentOf(file);
  const { actor, reason } = connections.settings;
  const authorship = { actor, reason, at: Date.now() };
  const applied = await applyDefinitions(await connections.home(), content.definitions, authorship).catch((error) => {
    throw inFile(error, content);
  });
  const changes = shown(applied);
  return { json: changes, text: changes.map(withDifferences).join('\n') };
}

/** What putting these in force would change. @throws Trouble where they cannot be beside those that are */
export const foreseen = async (connections: Connections, content: Content): Promise<Change[]> =>
  diffDefinitions(await connections.home(), content.definitions).catch((error) => {
    throw inFile(error, content);
  });

export async function diff(connections: Connections, [file]: readonly string[]): Promise<Output> {
  const changes = shown(await foreseen(connections, contentOf(file)));
  return { json: changes, text: changes.map(withDifferences).join('\n') };
}

export async function definitions(connections: Connections, [key]: readonly string[]): Promise<Output> {
  const newest = await readDefinitions(await connections.home());
  if (key) {
    const record = newest.get(key);
    if (!record) throw new Trouble(`there is no definition ${key}`, '`tributary definitions` lists them');
    const { body, ...rest } = record;
    const spec = withHiddenSecrets(rest.kind, JSON.parse(body));
    const by = `# version ${rest.version}, ${new Date(rest.at).toISOString()}, by ${rest.actor}${rest.reason ? `: ${rest.reason}` : ''}`;
    const content = rest.deleted ? { delete: true } : { spec };
    return {
      json: { ...rest, spec },
      text: `${by}\n${stringify({ kind: rest.kind, name: rest.name, ...content }).trimEnd()}`,
    };
  }
  const filled = await howFilled(connections);
  const records = [...newest.values()]
    .filter(({ deleted }) => !deleted)
    .sort((a, b) => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1));
  return {
    json: records.map(({ body, ...rest }) => ({
      ...rest,
      spec: withHiddenSecrets(rest.kind, JSON.parse(body)),
      ...(isComputed(rest.kind, body) && { filled: filled.get(`${rest.name}@${rest.version}`) ?? 0 }),
    })),
    text:
      table(
        ['definition', 'version', 'state', 'at', 'by', 'reason'],
        records.map(({ kind, name, version, body, at, actor, reason }) => [
          `${kind}/${name}`,
          version,
          isComputed(kind, body) ? stateOf(filled.get(`${name}@${version}`) ?? 0) : 'in force',
          new Date(at).toISOString(),
          actor,
          reason,
        ]),
      ) || 'nothing is defined',
  };
}

const isComputed = (kind: string, body: string): boolean =>
  kind === 'traits' && Object.hasOwn(JSON.parse(body) as object, 'compute');

const stateOf = (filled: number): string => (filled === 1 ? 'in force' : `filling ${Math.floor(filled * 100)} %`);

/** Of each version of a computed trait how much of the history before it has been read, from 0 to 1. */
async function howFilled(connections: Connections): Promise<ReadonlyMap<string, number>> {
  const filled = new Map<string, number>();
  const { generation, prefix } = connections.settings;
  const { kafka, codecs } = await connections.home();
  await readTopic({ kafka, codecs, prefix }, traitFillsTopic(generation), (_, value) => {
    if (value?.partition === -1) filled.set(`${value.trait}@${value.version}`, shareFilled(value));
  });
  return filled;
}
