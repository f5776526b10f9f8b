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
  const schema = definitionKinds[kind];
  const parsed = schema?.safeParse(JSON.parse(record.body));
  return parsed?.success ? { kind, name: record.name, version: record.version, body: parsed.data } : undefined;
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
  const listeners: ((definitions: Definitions) => void)[] = [];
  const reader = await readPartitions(kafka, [topic], {
    log,
    onLost,
    async onBatch({ messages }) {
      await codec.prepare(messages.map((message) => message.value));
      for (const { key, value } of messages) {
        if (!value) {
          const [kind, ...name] = String(key).split('/');
          const gone = current.get(kind as DefinitionKind, name.join('/'));
          if (gone) current = current.with(gone, true);
          continue;
        }
        const record = codec.decode(value);
        const definition = inForceOf(record);
        if (definition) current = current.with(definition, record.deleted);
        else
          log.warn(
            { definition: `${record.kind}/${record.name}`, version: record.version },
            'definition is not understood; the previous one stays in force',
          );
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
