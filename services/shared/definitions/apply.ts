import type { Definition } from '#schemas/generated/records.ts';
import { deadTopic, deliveryTopic, topics } from '#schemas/topics.ts';
import { activationBy } from '#shared/identity/activation.ts';
import type { KafkaClient, Producer } from '#shared/kafka/client.ts';
import type { Codec, Codecs } from '#shared/kafka/codec.ts';
import { inTurn } from '#shared/kafka/in-turn.ts';
import { planOf, provisionTopics } from '#shared/kafka/provision-topics.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { type Authorship, type Change, changesTo, type Newest, recordsOf } from './changes.ts';
import { inForceOf } from './feed.ts';
import { Conflict, mistakesAmong } from './mistakes-among.ts';
import type { Wanted } from './validate.ts';

/** Where definitions are kept. */
export interface DefinitionsHome {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
  /** For the topics of new destinations and webhooks. */
  readonly partitions: number;
  readonly replication: number;
}

/** The newest record of every definition, by `kind/name`. */
export const readDefinitions = (home: DefinitionsHome): Promise<Newest> => following(home, ({ read }) => read());

/** What applying would do. @throws Conflict */
export const diffDefinitions = async (home: DefinitionsHome, wanted: readonly Wanted[]): Promise<Change[]> =>
  possible(await readDefinitions(home), wanted);

/** The changes, if what is wanted can be in force beside what is. @throws Conflict */
function possible(newest: Newest, wanted: readonly Wanted[]): Change[] {
  const inForce = [...newest.values()].flatMap((record) => (record.deleted ? [] : (inForceOf(record) ?? [])));
  const mistakes = mistakesAmong(wanted, inForce);
  if (mistakes.length > 0) throw new Conflict(mistakes);
  return changesTo(newest, wanted);
}

/**
 * Puts definitions in force: a new version of each that differs, all or none. Any number may do so at the same time: one
 * after the other, each on top of what the one before has left.
 * @throws Conflict
 */
export function applyDefinitions(
  home: DefinitionsHome,
  wanted: readonly Wanted[],
  authorship: Authorship,
): Promise<Change[]> {
  return following(home, async ({ read, topic, codec }) => {
    const foreseen = possible(await read(), wanted);
    if (foreseen.every(({ what }) => what === 'unchanged')) return foreseen;
    await makeTopics(home, wanted);
    const done = await inTurn<Change[] | Conflict>(
      home.kafka,
      `${home.prefix}definitions-writer`,
      async (transaction) => {
        try {
          const changes = possible(await read(), wanted);
          const records = recordsOf(changes, authorship);
          if (records.length === 0) return { result: changes, keep: false };
          const messages = records.map((record) => ({
            key: `${record.kind}/${record.name}`,
            value: codec.encode(record),
            timestamp: String(record.at),
          }));
          await transaction.send({ topic, acks: -1, messages });
          await activateRules(transaction, home, records);
          return { result: changes, keep: true };
        } catch (error) {
          if (error instanceof Conflict) return { result: error, keep: false };
          throw error;
        }
      },
    );
    if (done instanceof Conflict) throw done;
    return done;
  });
}

interface Followed {
  readonly topic: string;
  readonly codec: Codec<'Definition'>;
  /** The definitions as they are now. */
  read(): Promise<Newest>;
}

async function following<T>(home: DefinitionsHome, work: (followed: Followed) => Promise<T>): Promise<T> {
  const topic = home.prefix + topics.definitions.name;
  const codec = await home.codecs.ofTopic(topic, topics.definitions.value);
  const newest = new Map<string, Definition>();
  const reader = await readPartitions(home.kafka, [topic], {
    async onBatch({ messages }) {
      await codec.prepare(messages.map(({ value }) => value));
      for (const { key, value } of messages) {
        if (value) newest.set(String(key), codec.decode(value));
        else newest.delete(String(key));
      }
    },
  });
  try {
    const read = async (): Promise<Newest> => {
      await reader.caughtUp();
      return new Map(newest);
    };
    return await work({ topic, codec, read });
  } finally {
    await reader.stop();
  }
}

/** Before a definition names them, so that nothing is to be sent where there are no topics for it. */
async function makeTopics(home: DefinitionsHome, wanted: readonly Wanted[]): Promise<void> {
  const wantedTopics = wanted.flatMap(({ kind, name, body }) => {
    if (!body) return [];
    if (kind === 'profile_webhook') return [deadTopic(name)];
    return kind === 'destination' ? [deliveryTopic(name), deadTopic(name)] : [];
  });
  if (wantedTopics.length === 0) return;
  const admin = home.kafka.admin();
  await admin.connect();
  try {
    const plans = wantedTopics.map((topic) => planOf(topic, home.prefix, home.partitions, home.replication));
    await provisionTopics(admin, plans);
  } finally {
    await admin.disconnect();
  }
}

/** Rules of identity are followed in their place among the claims. */
async function activateRules(
  transaction: Pick<Producer, 'send'>,
  { codecs, prefix }: DefinitionsHome,
  records: readonly Definition[],
): Promise<void> {
  const claims = records.flatMap((record) => activationBy(record) ?? []);
  if (claims.length === 0) return;
  const topic = prefix + topics.identityClaims.name;
  const codec = await codecs.ofTopic(topic, topics.identityClaims.value);
  const messages = claims.map((claim) => ({
    key: claim.claim_id,
    value: codec.encode(claim),
    timestamp: String(claim.received_at),
  }));
  await transaction.send({ topic, acks: -1, messages });
}
