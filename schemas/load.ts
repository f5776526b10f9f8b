import { readdirSync, readFileSync } from 'node:fs';

/** An Avro schema as JSON. */
export type AvroSchema = string | AvroSchema[] | { [key: string]: unknown };

const directory = new URL('./avro/', import.meta.url);

/** Every contract as written in `avro/`, by the full name of its record. Files may refer to each other by that name. */
export const schemasAsWritten: ReadonlyMap<string, AvroSchema> = new Map(
  readdirSync(directory)
    .filter((file) => file.endsWith('.avsc'))
    .sort()
    .map((file) => {
      const schema = JSON.parse(readFileSync(new URL(file, directory), 'utf8'));
      return [`${schema.namespace}.${schema.name}`, schema];
    }),
);

/** The self-contained schema of one record: what it refers to stands at the first place that needs it. */
export function schemaOf(name: string): AvroSchema {
  const placed = new Set<string>();
  const place = (part: unknown): unknown => {
    if (typeof part === 'string') {
      const referred = schemasAsWritten.get(part);
      if (!referred || placed.has(part)) return part;
      placed.add(part);
      return place(referred);
    }
    if (Array.isArray(part)) return part.map(place);
    if (part && typeof part === 'object') {
      const node = part as Record<string, unknown>;
      const result: Record<string, unknown> = { ...node };
      if ('type' in node) result.type = place(node.type);
      if (node.type === 'array') result.items = place(node.items);
      if (node.type === 'map') result.values = place(node.values);
      if (node.type === 'record') result.fields = (node.fields as unknown[]).map(place);
      return result;
    }
    return part;
  };
  const full = `tributary.${name}`;
  const written = schemasAsWritten.get(full);
  if (!written) throw new Error(`schemas/avro has no record named ${name}`);
  placed.add(full);
  return place(written) as AvroSchema;
}
