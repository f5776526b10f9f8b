/**
 * Writes `docs/topics.md` from the catalogue of topics and the Avro schemas of their values.
 * `node schemas/topics-doc.ts` writes, `node schemas/topics-doc.ts --check` fails when the page is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { RecordName } from './generated/records.ts';
import { type AvroSchema, schemasAsWritten } from './load.ts';
import {
  changelogTopic,
  deadTopic,
  deliveryTopic,
  generationsTopic,
  internalTopics,
  type Topic,
  topics,
} from './topics.ts';

interface RecordSchema {
  readonly name: string;
  readonly doc?: string;
  readonly fields: readonly { readonly name: string; readonly type: AvroSchema; readonly doc?: string }[];
}

const DAY = 86_400_000;
const days = (milliseconds: number): string => (milliseconds === DAY ? '1 day' : `${milliseconds / DAY} days`);

function cleanupText({ cleanup, retention, time }: Topic): string {
  if (cleanup === 'delete') return `deleted after ${days(retention)}${time === 'written' ? ' (of writing)' : ''}`;
  return retention > 0 ? `compacted, not before ${days(retention)}` : 'compacted';
}

const inCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(inCell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const topicTable = (list: readonly Topic[]): string =>
  table(
    ['topic', 'key', 'value', 'partitions', 'kept', 'written by', ''],
    list.map((topic) => [
      code(topic.name),
      topic.key,
      topic.value === 'Marker' ? 'varies with the key' : code(topic.value),
      String(topic.partitions),
      cleanupText(topic),
      topic.owner,
      topic.doc.replaceAll('<', '&lt;'),
    ]),
  );

/** A schema's type in words; records inside are named, and told of in a table of their own. */
function typeText(schema: AvroSchema, inner: RecordSchema[]): string {
  if (typeof schema === 'string') return schema.replace(/^tributary\./, '');
  if (Array.isArray(schema)) return schema.map((part) => typeText(part, inner)).join(' or ');
  if (schema.type === 'array') return `array of ${typeText(schema.items as AvroSchema, inner)}`;
  if (schema.type === 'map') return `map of ${typeText(schema.values as AvroSchema, inner)}`;
  if (schema.type === 'record') {
    inner.push(schema as unknown as RecordSchema);
    return schema.name as string;
  }
  return schema.logicalType === 'timestamp-millis' ? 'timestamp-millis' : typeText(schema.type as AvroSchema, inner);
}

function recordText(record: RecordSchema, depth: string): string {
  const inner: RecordSchema[] = [];
  const rows = record.fields.map(({ name, type, doc }) => [code(name), typeText(type, inner), doc ?? '']);
  const own = [`${depth} ${record.name}`, record.doc ?? '', table(['field', 'type', ''], rows)];
  return [...own.filter(Boolean), ...inner.map((one) => recordText(one, `${depth}#`))].join('\n\n');
}

const recordNamed = (name: RecordName): RecordSchema =>
  schemasAsWritten.get(`tributary.${name}`) as unknown as RecordSchema;

const publicTopics: Topic[] = [...Object.values(topics), deliveryTopic('<destination>'), deadTopic('<destination>')];
const allInternal: Topic[] = [generationsTopic, ...internalTopics(1), changelogTopic(1, '<task>', 'many')];
const values = [...new Set(publicTopics.map(({ value }) => value))];
const parts: RecordName[] = ['Identifier', 'Trait', 'ComputedTrait', 'Consent', 'EventCount', 'DefinitionVersion'];

const text = `<!-- Generated from schemas/topics.ts and schemas/avro by schemas/topics-doc.ts. Do not edit. -->

# Topics

Every name has the installation's prefix before it: \`tributary.\` unless \`TRIBUTARY_PREFIX\` says otherwise. Values are Avro in
Confluent's wire format (a zero byte, the schema's id in four bytes, the datum); the subject in the registry is \`<topic>-value\`.
Compatibility is \`BACKWARD\`: a new field has a default. Keys are text and never hold personal data: where an identifier is meant, it is its
keyed hash. A record's Kafka timestamp is the time at which the collector received the event that it came from.

*many* partitions: as many as \`TRIBUTARY_PARTITIONS\` said when the topic was made (4 by default). Read them with
\`isolation.level=read_committed\`: all but the collector's are written in transactions. How to follow one is in
[subscribe.md](subscribe.md).

${topicTable(publicTopics)}

## Internal topics

Nobody else's business: they change without notice. \`g1\` is the generation.

${topicTable(allInternal)}

## Values

${values.map((name) => recordText(recordNamed(name), '###')).join('\n\n')}

## Parts of values

${parts.map((name) => recordText(recordNamed(name), '###')).join('\n\n')}
`;

const target = new URL('../docs/topics.md', import.meta.url);
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/topics.md is stale: run `npm run generate`');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
