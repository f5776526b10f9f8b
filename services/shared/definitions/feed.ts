import type { Definition } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import type { Log } from '#shared/service/log.ts';
import { Definitions, type InForce } from './definitions.ts';
import { type DefinitionKind, definitionKinds } from './kinds.ts';

/** Follows the definitions topic: always the newest snapshot. */
export interface DefinitionsFeed {
  readonly current: () => Definitions;
  /** Called with each new snapshot. */
  onChange(listener: (definitions: Definitions) => void): void;
  stop(): Promise<void>;
}

/** A record of the topic as a definition in force; undefined when this version of the software does not know it. */
export function inForceOf(record: Definition): InForce | undefined {
  const kind = record.kind as DefinitionKind;
  const parsed = definitionKinds[kind]?.safeParse(jsonOf(record.body));
  return parsed?.success ? { kind, name: record.name, version: record.version, body: parsed.data } : undefined;
}

/**
 * What is in force after one more record: null is a tombstone, undefined could not be read. What is deleted goes, whatever its body
 * says: a newer version of the software may have written it. @returns undefined when the record is not understood
 */
export function inForceAfter(
  current: Definitions,
  key: string,
  record: Definition | null | undefined,
): Definitions | undefined {
  if (record === null || record?.deleted) return current.without(key);
  const definition = record && inForceOf(record);
  return definition && current.with(definition);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Resolves once all definitions that are there have been read. */
export async function followDefinitions(
  kafka: KafkaClient,
  codecs: Codecs,
  prefix: string,
  log: Log,
  onLost: (error: Error) => void,
): Promise<DefinitionsFeed> {
  const topic = prefix + topics.definitions.name;
  const codec = await codecs.ofTopic(topic, 'Definition');
  let current = new Definitions();
  const read = (bytes: Buffer | null): Definition | null | undefined => {
    try {
      return bytes && codec.decode(bytes);
    } catch {
      return undefined;
    }
  };
  const listeners: ((definitions: Definitions) => void)[] = [];
  const reader = await readPartitions(kafka, [topic], {
    log,
    onLost,
    async onBatch({ messages }) {
      await codec.prepare(messages.map((message) => message.value));
      for (const { key, value } of messages) {
        const next = inForceAfter(current, String(key), read(value));
        if (next) current = next;
        else log.warn({ definition: String(key) }, 'definition is not understood; the previous one stays in force');
      }
      for (const listener of listeners) listener(current);
    },
  });
  await reader.caughtUp();
  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    stop: () => reader.stop(),
  };
}
