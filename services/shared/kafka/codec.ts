import { setTimeout as sleep } from 'node:timers/promises';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avsc from 'avsc';
import type { RecordName, Records } from '#schemas/generated/records.ts';
import { schemaOf } from '#schemas/load.ts';

/** Marks a value as Confluent's wire format: this byte, the schema's id (4 bytes, big endian), then the Avro datum. */
const MAGIC = 0;
const HEADER = 5;

/** Id of the schema that wrote a value; undefined where it is not in Confluent's wire format. */
export const schemaIdOf = (value: Buffer): number | undefined =>
  value.length < HEADER || value[0] !== MAGIC ? undefined : value.readUInt32BE(1);

/** A value that cannot be read: the input's fault. */
export class Undecodable extends Error {
  readonly code = 'undecodable';
}

/**
 * Values are written one after the other into a large buffer, and handed out as parts of it: what a batch writes is sent and forgotten
 * together. Buffers of their own would be copies, and work for the garbage collector.
 */
const SLAB_BYTES = 256 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/** Writes and reads one kind of record of one subject. */
export class Codec<N extends RecordName = RecordName> {
  readonly record: N;
  /** Id of today's schema. */
  readonly schemaId: number;
  readonly #type: avsc.Type;
  readonly #registry: SchemaRegistry;
  /** Readers by the id of the schema that wrote. */
  readonly #readers = new Map<number, avsc.Resolver | undefined>();

  constructor(record: N, schemaId: number, type: avsc.Type, registry: SchemaRegistry) {
    this.record = record;
    this.schemaId = schemaId;
    this.#type = type;
    this.#registry = registry;
    this.#readers.set(schemaId, undefined);
  }

  encode(value: Records[N]): Buffer {
    const start = used;
    const end = this.#type.encode(value, slab, start + HEADER);
    if (end < 0) {
      // Negative: so many bytes more than there were.
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, slab.length - start - end));
      used = 0;
      return this.encode(value);
    }
    slab[start] = MAGIC;
    slab.writeUInt32BE(this.schemaId, start + 1);
    used = end;
    return slab.subarray(start, end);
  }

  /** Learns the schemas that wrote these values, so that `decode` can read them. */
  async prepare(values: Iterable<Buffer | null>): Promise<void> {
    for (const value of values) {
      const id = value ? schemaIdOf(value) : undefined;
      if (id !== undefined && !this.#readers.has(id)) await this.learn(id);
    }
  }

  /** @throws Undecodable */
  decode(value: Buffer): Records[N] {
    const id = schemaIdOf(value);
    if (id === undefined) throw new Undecodable('not in Confluent wire format');
    const resolver = this.#readers.get(id);
    if (!resolver && !this.#readers.has(id)) throw new Undecodable(`written with unknown schema ${id}`);
    try {
      const { value: record, offset } = this.#type.decode(value, HEADER, resolver);
      if (offset !== value.length) throw new Error(offset < 0 ? 'truncated' : 'bytes are left over');
      return record as Records[N];
    } catch (error) {
      throw new Undecodable(
        `does not decode as ${this.record}: ${error instanceof Error ? error.message : 'unknown reason'}`,
      );
    }
  }

  /** Learns the schema with this id; one of another record changes nothing. */
  async learn(id: number): Promise<void> {
    if (this.#readers.has(id)) return;
    const written = await this.#registry.getSchema(id).catch((error: { status?: number }) => {
      if (error.status === 404) return undefined;
      throw error;
    });
    if (!written) return;
    const json = 'schema' in written ? (written as unknown as avsc.Type).schema({ exportAttrs: true }) : undefined;
    if (!json) return;
    try {
      const writer = avsc.Type.forSchema(json as avsc.Schema);
      this.#readers.set(id, this.#type.createResolver(writer));
    } catch {
      // A schema of some other record: what it wrote stays undecodable here.
    }
  }
}

const types = new Map<RecordName, avsc.Type>();

/** Today's Avro type of a record. */
export function typeOf(record: RecordName): avsc.Type {
  const known = types.get(record);
  if (known) return known;
  const type = avsc.Type.forSchema(schemaOf(record) as avsc.Schema);
  types.set(record, type);
  return type;
}

/** Registers schemas and hands out codecs. The registry refuses a schema that cannot read what older ones wrote. */
export class Codecs {
  readonly #registry: SchemaRegistry;
  readonly #known = new Map<string, Promise<Codec>>();

  /** @param url Confluent-compatible API of the registry. */
  constructor(url: string) {
    this.#registry = new SchemaRegistry({
      host: url,
      retry: { maxRetryTimeInSecs: 5, initialRetryTimeInSecs: 0.1, retries: 5 },
    });
  }

  /** The codec of a topic's values: subject `<topic>-value`. */
  ofTopic<N extends RecordName>(topic: string, record: N): Promise<Codec<N>> {
    return this.#of(`${topic}-value`, record);
  }

  /** The codec of a record that stands in changelogs, where kinds of records share a topic: subject `<prefix>internal.<Record>`. */
  ofRecord<N extends RecordName>(prefix: string, record: N): Promise<Codec<N>> {
    return this.#of(`${prefix}internal.${record}`, record);
  }

  #of<N extends RecordName>(subject: string, record: N): Promise<Codec<N>> {
    const known = this.#known.get(subject) ?? this.#register(subject, record);
    this.#known.set(subject, known);
    known.catch(() => this.#known.delete(subject));
    return known as unknown as Promise<Codec<N>>;
  }

  async #register(subject: string, record: RecordName): Promise<Codec> {
    const schema = JSON.stringify(schemaOf(record));
    for (let tries = 1; ; tries++) {
      try {
        const { id } = await this.#registry.register({ type: SchemaType.AVRO, schema }, { subject });
        return new Codec(record, id, typeOf(record), this.#registry);
      } catch (error) {
        if (!isRace(error) || tries === 20) throw error;
        await sleep(100);
      }
    }
  }
}

/**
 * Whether another process makes the same new subject at this moment: then it is there when one comes again. The library gives a
 * subject its compatibility rule after its first schema, and Apicurio says in words that one of them exists already.
 */
const isRace = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'ConfluentSchemaRegistryCompatibilityError' || /already exists/.test(error.message));
