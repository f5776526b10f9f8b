import { setTimeout as sleep } from 'node:timers/promises';
import type { Definition } from '#schemas/generated/records.ts';
import { deadTopic, deliveryTopic, topics } from '#schemas/topics.ts';
import { activationBy } from '#shared/identity/activation.ts';
import { type KafkaClient, Partitioners, type Producer } from '#shared/kafka/client.ts';
import type { Codec, Codecs } from '#shared/kafka/codec.ts';
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

/** Others may write at the same time; so often we give way to them. */
const MOST_TRIES = 50;
/** A writer that dies holds readers up for so long. */
const TRANSACTION_TIMEOUT_MS = 10_000;

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
    if (recordsOf(possible(await read(), wanted), authorship).length > 0) await makeTopics(home, wanted);
    for (let tries = 1; ; tries++) {
      const foreseen = possible(await read(), wanted);
      if (foreseen.every(({ what }) => what === 'unchanged')) return foreseen;
      try {
        return await writeOnce(home, authorship, {
          topic,
          codec,
          changes: async () => possible(await read(), wanted),
        });
      } catch (error) {
        if (error instanceof Conflict) throw error;
        // Most likely another writer came, and this one is fenced. Whatever it was: the topic tells what has come of it.
        if (tries === MOST_TRIES) throw error;
        await sleep(Math.random() * Math.min(100 * tries, 1_000));
      }
    }
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

async function writeOnce(
  home: DefinitionsHome,
  authorship: Authorship,
  { topic, codec, changes }: Pick<Followed, 'topic' | 'codec'> & { readonly changes: () => Promise<Change[]> },
): Promise<Change[]> {
  const producer = home.kafka.producer({
    transactionalId: `${home.prefix}definitions-writer`,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    // From here on nobody who came earlier can commit, so what is read now is final unless somebody fences us.
    const transaction = await producer.transaction();
    try {
      const list = await changes();
      const records = recordsOf(list, authorship);
      if (records.length > 0) {
        const messages = records.map((record) => ({
          key: `${record.kind}/${record.name}`,
          value: codec.encode(record),
          timestamp: String(record.at),
        }));
        await transaction.send({ topic, acks: -1, messages });
        await activateRules(transaction, home, records);
        await transaction.commit();
      } else await transaction.abort();
      return list;
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
  } finally {
    await producer.disconnect();
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
