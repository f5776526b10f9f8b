import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { count, flag, helpText, lines, oneOf, port, readOptions, text, type Values } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

const options = {
  ...platformOptions,
  ...clickhouseOptions,
  kafkaPort: port('KAFKA_PORT', 'Port of a local Kafka, where KAFKA_BROKERS is not set', '9092'),
  registryPort: port('REGISTRY_PORT', 'Port of a local registry, where REGISTRY_URL is not set', '8081'),
  clickhousePort: port('CLICKHOUSE_PORT', 'Port of a local ClickHouse, where CLICKHOUSE_URL is not set', '8123'),
  collectorPort: port('COLLECTOR_PORT', 'Port of a local collector, where COLLECTOR_URL is not set', '8080'),
  apiPort: port('API_PORT', 'Port of a local read API, where API_URL is not set', '8090'),
  apiUrl: text('API_URL', 'Address of the read API', ''),
  apiTokenFile: text('API_TOKEN_FILE', 'File with the read API’s token; DATA/api-token when empty', ''),
  stitcherOpsPort: port('STITCHER_OPS_PORT', 'Its port on this machine, where STITCHER_URL is not set', '9101'),
  projectorOpsPort: port('PROJECTOR_OPS_PORT', 'Its port on this machine, where PROJECTOR_URL is not set', '9102'),
  activationOpsPort: port('ACTIVATION_OPS_PORT', 'Its port on this machine, where ACTIVATION_URL is not set', '9103'),
  collectorUrl: text('COLLECTOR_URL', 'Address of the collector', ''),
  stitcherUrl: text('STITCHER_URL', 'Operations address of the identity-stitcher', ''),
  projectorUrl: text('PROJECTOR_URL', 'Operations address of the profile-projector', ''),
  activationUrl: text('ACTIVATION_URL', 'Operations address of activation', ''),
  actor: text('ACTOR', 'Who changes definitions, or decides about identities; the user of this machine when empty', ''),
  reason: text('REASON', 'Why', ''),
  yes: flag('YES', 'Of decisions about identities, and of replay drop: do what is shown, without asking', 'false'),
  with: text('WITH', 'Of replay: file of definitions that are in force in the new generation alone', ''),
  claims: oneOf(
    ['recorded', 'rebuild'],
    'CLAIMS',
    'Of replay: recorded, or rebuild: from the events alone',
    'recorded',
  ),
  from: oneOf(
    ['clickhouse', 'kafka'],
    'FROM',
    'Of replay: clickhouse, the event log; or kafka, what its topics still hold',
    'clickhouse',
  ),
  rate: count('RATE', 'Of replay: most events of history to read in a second; 0: as fast as it goes', '0'),
  untilComplete: flag('UNTIL_COMPLETE', 'Of replay: end when it is complete, instead of following the stream', 'false'),
  plain: flag('PLAIN', 'Of identities: show values of identifiers, not masked', 'false'),
  dot: flag('DOT', 'Of identity graph: as Graphviz reads it', 'false'),
  source: text('SOURCE', 'Of tail: only events of this source; of import: whose rows they are', ''),
  event: text('EVENT', 'Of tail: only events of this name; of import: name of rows that do not say theirs', ''),
  rejected: flag('REJECTED', 'Of tail: only rejected events', 'false'),
  writeKey: text('WRITE_KEY', 'Of import: write key of the source; else SOURCE is looked up', ''),
  format: text('FORMAT', 'Of import: csv or jsonl; as the file’s name says when empty', ''),
  delimiter: text('DELIMITER', 'Of import: between the cells of a CSV; `tab` is a tab', ''),
  type: text('TYPE', 'Of import: type of rows that do not say theirs', ''),
  column: lines('COLUMN', 'Of import: NAME=FIELD for a column of another name, one a line; a flag for each', ''),
  columns: text('COLUMNS', 'Of import: YAML file of them, NAME: FIELD', ''),
  dryRun: flag('DRY_RUN', 'Of import: look at every row, and import none', 'false'),
  restart: flag('RESTART', 'Of import: begin anew', 'false'),
  rejects: text('REJECTS', 'Of import: file to write bad rows to, with their text', ''),
  state: text('STATE', 'Of import: file that says how far it is; beside the imported one when empty', ''),
  asOf: text('AS_OF', 'Of digest and replay compare: as of this time; as it is now when empty', ''),
  clickhouse: flag('CLICKHOUSE', 'Of digest: what ClickHouse has', 'false'),
  limit: count('LIMIT', 'Most rows to show', '20'),
} as const;

/** Flags without a value. */
const switches = new Set([
  '--rejected',
  '--dry-run',
  '--restart',
  '--yes',
  '--plain',
  '--dot',
  '--clickhouse',
  '--until-complete',
]);
/** Flags that may be there several times. */
const repeated = '--column=';

export type CliSettings = Values<typeof options>;

/** What was typed, taken apart. */
export interface Invocation {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  readonly settings: CliSettings;
}

const root = resolve(import.meta.dirname, '..', '..', '..');

/** Takes a command line apart, and finds the local platform where nothing else is said. */
export function invocationOf(argv: readonly string[]): Invocation | { readonly errors: readonly string[] } {
  const words: string[] = [];
  const flags: string[] = [];
  let json = false;
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i] as string;
    if (arg === '--json') json = true;
    else if (arg === '--help' || arg === '-h') help = true;
    else if (switches.has(arg)) flags.push(`${arg}=true`);
    else if (!arg.startsWith('--')) words.push(arg);
    else flags.push(arg.includes('=') ? arg : `${arg}=${argv[++i] ?? ''}`);
  }
  const columns = flags.filter((flag) => flag.startsWith(repeated)).map((flag) => flag.slice(repeated.length));
  const others = flags.filter((flag) => !flag.startsWith(repeated));
  const read = readOptions(options, process.env, [
    ...others,
    ...(columns.length > 0 ? [repeated + columns.join('\n')] : []),
  ]);
  if ('errors' in read) return read;
  const given = (name: string): boolean =>
    process.env[`TRIBUTARY_${name}`] !== undefined ||
    flags.some((flag) => flag.startsWith(`--${name.toLowerCase().replaceAll('_', '-')}=`));
  const found = read.values;
  // The platform keeps its data beside the code; a folder here of that name is meant first.
  const dataDirectory =
    given('DATA') || existsSync(found.dataDirectory) ? found.dataDirectory : join(root, found.dataDirectory);
  const at = (name: number): string => `http://127.0.0.1:${name}`;
  const settings = {
    ...found,
    dataDirectory,
    kafkaBrokers: given('KAFKA_BROKERS') ? found.kafkaBrokers : [`127.0.0.1:${found.kafkaPort}`],
    registryUrl: given('REGISTRY_URL') ? found.registryUrl : `${at(found.registryPort)}/apis/ccompat/v7`,
    clickhouseUrl: given('CLICKHOUSE_URL') ? found.clickhouseUrl : at(found.clickhousePort),
    apiUrl: found.apiUrl || at(found.apiPort),
    collectorUrl: found.collectorUrl || at(found.collectorPort),
    stitcherUrl: found.stitcherUrl || at(found.stitcherOpsPort),
    projectorUrl: found.projectorUrl || at(found.projectorOpsPort),
    activationUrl: found.activationUrl || at(found.activationOpsPort),
    actor: found.actor || userInfo().username,
  };
  return { words, json, help, settings };
}

/** All settings, for `--help`. */
export const settingsHelp = (): string => helpText('', options).trim();
