/**
 * Writes `generated/records.ts`: a TypeScript interface for each record in `avro/`.
 * `node schemas/generate.ts` writes, `node schemas/generate.ts --check` fails when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type AvroSchema, schemasAsWritten } from './load.ts';

interface Field {
  name: string;
  type: AvroSchema;
  doc?: string;
}
interface RecordSchema {
  type: 'record';
  name: string;
  doc?: string;
  fields: Field[];
}

const primitives: Record<string, string> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
};

function typeText(schema: AvroSchema, inner: RecordSchema[]): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema.replace(/^tributary\./, '');
  if (Array.isArray(schema)) {
    const parts = schema.map((part) => typeText(part, inner));
    return [...parts.filter((part) => part !== 'null'), ...parts.filter((part) => part === 'null')].join(' | ');
  }
  switch (schema.type) {
    case 'array':
      return `readonly ${parenthesised(typeText(schema.items as AvroSchema, inner))}[]`;
    case 'map':
      return `Readonly<Record<string, ${typeText(schema.values as AvroSchema, inner)}>>`;
    case 'record':
      inner.push(schema as unknown as RecordSchema);
      return schema.name as string;
    default:
      return typeText(schema.type as AvroSchema, inner);
  }
}

const parenthesised = (text: string): string => (/[ |]/.test(text) ? `(${text})` : text);

function interfaceText(record: RecordSchema): string {
  const inner: RecordSchema[] = [];
  const lines = record.fields.map((field) => {
    const doc = field.doc ? `  /** ${field.doc} */\n` : '';
    return `${doc}  readonly ${field.name}: ${typeText(field.type, inner)};`;
  });
  const own = `${record.doc ? `/** ${record.doc} */\n` : ''}export interface ${record.name} {\n${lines.join('\n')}\n}`;
  return [...inner.map(interfaceText), own].join('\n\n');
}

const records = [...schemasAsWritten.values()] as unknown as RecordSchema[];
const names = records.map((record) => record.name);
const text = `// Generated from schemas/avro by schemas/generate.ts. Do not edit.

${records.map(interfaceText).join('\n\n')}

/** The records by name. */
export interface Records {
${names.map((name) => `  ${name}: ${name};`).join('\n')}
}

export type RecordName = keyof Records;
`;

const target = new URL('./generated/records.ts', import.meta.url);
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('schemas/generated/records.ts is stale: run `npm run generate`');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
