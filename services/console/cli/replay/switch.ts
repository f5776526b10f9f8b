import { setTimeout as sleep } from 'node:timers/promises';
import type { Control, Generation, IdentityMapping, Profile, Role } from '#schemas/generated/records.ts';
import { controlTopic, rolesTopic, topics } from '#schemas/topics.ts';
import { EventLog } from '#shared/clickhouse/event-log.ts';
import type { DefinitionsHome } from '#shared/definitions/apply.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import { type Admin, Partitioners, type Producer } from '#shared/kafka/client.ts';
import { typeOf } from '#shared/kafka/codec.ts';
import { holdsRecords } from '#shared/kafka/holds-records.ts';
import { readPartitions } from '#shared/kafka/read-partitions.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { followTopic } from '../../adapters/follow-topic.ts';
import type { Connections } from '../connections.ts';
import { readTopic } from '../read-topic.ts';
import { Trouble } from '../trouble.ts';

const LOOK_EVERY_MS = 100;
/** Somebody runs the tasks, so they answer; a partition that is taken over anew takes its time. */
const PATIENCE_MS = 60_000;
const AT_ONCE = 500;
const TASKS = ['linker', 'projector'] as const;
type Task = (typeof TASKS)[number];

export interface Switching {
  readonly connections: Connections;
  readonly home: DefinitionsHome;
  readonly admin: Admin;
  /** Of the generation that becomes live. */
  readonly edition: number;
  readonly say: (text: string) => void;
}

/**
 * Has one generation speak to all in the place of another: from here on what is published bears the new edition, which no reader shows yet.
 * Done again after an interruption it goes on.
 */
export async function handOver(from: Generation, to: Generation, around: Switching): Promise<void> {
  const { edition, say } = around;
  const hasEnded = ({ role, edition: of }: Role): boolean => of >= edition && (role === 'telling' || role === 'live');
  const [roles, sender, last] = await Promise.all([
    followedRoles([from.generation, to.generation], around),
    senderOf(around),
    lastVersions(around),
  ]);
  try {
    for (const task of TASKS) await sender.toAll(from.generation, task, 'yield');
    await roles.until(from.generation, (role) => role.edition >= edition && role.role === 'quiet', 'yielded');
    say(`generation ${from.generation} has yielded: nothing is published until generation ${to.generation} goes on`);
    if (!(await roles.are(to.generation, hasEnded))) {
      await hasFolded(to.generation, await foldedBy(from.generation, around), around);
      const told = await tellPublished(to.generation, last, sender, around);
      say(`generation ${to.generation} is told of ${told.profiles} profiles and ${told.mappings} identifiers`);
      for (const task of TASKS) await sender.toAll(to.generation, task, 'end');
    }
    await roles.until(to.generation, (role) => role.edition >= edition && role.role === 'live', 'taken over');
    say(`generation ${to.generation} publishes`);
    await clickhouseHasAll(around);
  } finally {
    await Promise.all([sender.end(), roles.end(), last.end()]);
  }
}

/** By partition, how far a generation's projector has read the events. */
async function foldedBy(generation: number, { admin, home }: Switching): Promise<Map<number, number>> {
  const topic = home.prefix + topics.eventsStitched.name;
  const groupId = `${home.prefix}g${generation}.projector`;
  const [group] = await askedAgain(() => admin.fetchOffsets({ groupId, topics: [topic] }));
  return new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** Waits until it has read as far: else it would publish profiles that lack what is published already. */
async function hasFolded(generation: number, wanted: ReadonlyMap<number, number>, around: Switching): Promise<void> {
  const { home } = around;
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const folded = await foldedBy(generation, around);
    const open = [...wanted].flatMap(([partition, below]) => {
      const from = Math.max(folded.get(partition) ?? 0, 0);
      return from < below ? [{ partition, from, below }] : [];
    });
    // There may be nothing but markers of transactions between.
    if (open.length === 0 || !(await holdsRecords(home.kafka, home.prefix + topics.eventsStitched.name, open))) return;
    if (performance.now() > end)
      throw new Trouble(`generation ${generation} does not catch up`, 'is it run? then once more, and it goes on');
    await sleep(LOOK_EVERY_MS);
  }
}

/** The tasks' own word about whom they speak to. */
async function followedRoles(generations: readonly number[], { home, admin }: Switching) {
  const known = new Map<string, Role>();
  const readers = await Promise.all(
    generations.map((generation) =>
      followTopic(home, rolesTopic(generation), {}, (key, role) => {
        if (role) known.set(`${generation}/${key}`, role);
      }),
    ),
  );
  const missing = async (generation: number, is: (role: Role) => boolean): Promise<string[]> => {
    await Promise.all(readers.map((reader) => reader.caughtUp()));
    const lists = await Promise.all(
      TASKS.map(async (task) =>
        (await topicOffsets(admin, home.prefix + controlTopic(generation, task).name)).map(
          ({ partition }) => `${task}/${partition}`,
        ),
      ),
    );
    return lists.flat().filter((one) => {
      const role = known.get(`${generation}/${one}`);
      return !role || !is(role);
    });
  };
  return {
    are: async (generation: number, is: (role: Role) => boolean) => (await missing(generation, is)).length === 0,
    async until(generation: number, is: (role: Role) => boolean, what: string): Promise<void> {
      const end = performance.now() + PATIENCE_MS;
      for (;;) {
        const left = await missing(generation, is);
        if (left.length === 0) return;
        if (performance.now() > end)
          throw new Trouble(
            `generation ${generation} has not ${what}: ${left.join(', ')}`,
            'are the services running? then once more, and it goes on',
          );
        await sleep(LOOK_EVERY_MS);
      }
    },
    end: () => Promise.all(readers.map((reader) => reader.stop())),
  };
}

type Said = Partial<Pick<Control, 'profile' | 'mapping'>>;

async function senderOf({ home, admin, edition }: Switching) {
  const producer: Producer = home.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const encode = async (generation: number, task: Task, kind: string, said: Said = {}) => {
    const { name, value } = controlTopic(generation, task);
    const topic = home.prefix + name;
    const codec = await home.codecs.ofTopic(topic, value);
    return { topic, value: codec.encode({ kind, edition, profile: null, mapping: null, ...said }) };
  };
  let open: { readonly topic: string; readonly key: string; readonly value: Buffer }[] = [];
  const flush = async (): Promise<void> => {
    const topicMessages = [...Map.groupBy(open, ({ topic }) => topic)].map(([topic, those]) => ({
      topic,
      messages: those.map(({ key, value }) => ({ key, value })),
    }));
    open = [];
    if (topicMessages.length > 0) await producer.sendBatch({ acks: -1, topicMessages });
  };
  return {
    async toAll(generation: number, task: Task, kind: 'yield' | 'end'): Promise<void> {
      await flush();
      const { topic, value } = await encode(generation, task, kind);
      const partitions = await topicOffsets(admin, topic);
      const messages = partitions.map(({ partition }) => ({ key: kind, partition, value }));
      await producer.send({ topic, acks: -1, messages });
    },
    async published(generation: number, task: Task, key: string, said: Said): Promise<void> {
      open.push({ key, ...(await encode(generation, task, 'published', said)) });
      if (open.length >= AT_ONCE) await flush();
    },
    end: () => producer.disconnect(),
  };
}

type Sender = Awaited<ReturnType<typeof senderOf>>;

/** What those know who read the public topics: the last version of each profile, the last mapping of each identifier, and who is in quarantine. */
async function tellPublished(
  generation: number,
  last: LastVersions,
  sender: Sender,
  around: Switching,
): Promise<{ profiles: number; mappings: number }> {
  const { home, connections } = around;
  const newest = new Map<string, IdentityMapping>();
  await readTopic(home, topics.identityMappings, (key, mapping) => {
    if (mapping) newest.set(key, mapping);
    else newest.delete(key);
  });
  for (const [key, mapping] of newest) await sender.published(generation, 'linker', key, { mapping });
  let profiles = 0;
  await last.each(async (id, profile) => {
    profiles++;
    await sender.published(generation, 'projector', id, { profile });
    if (profile.flags.includes('quarantined') && !profile.gone)
      await sender.published(generation, 'linker', id, { profile });
  });
  // What is compacted away was gone before, and may come back.
  await clickhouseHasAll(around);
  const { clickhouseDatabase } = connections.settings;
  const gone = await connections.rows<{ id: string; version: string; into: string | null }>(
    `SELECT toString(profile_id) AS id, version, toString(into) AS into FROM ${clickhouseDatabase}.profiles_latest FINAL
    WHERE gone SETTINGS do_not_merge_across_partitions_select_final = 0`,
  );
  for (const { id, version, into } of gone)
    if (!last.has(id)) {
      profiles++;
      await sender.published(generation, 'projector', id, { profile: goneProfile(id, Number(version), into) });
    }
  return { profiles, mappings: newest.size };
}

type LastVersions = Awaited<ReturnType<typeof lastVersions>>;

/**
 * The last version of each profile; of one that is gone, too, as far as it is not compacted away. Where they are is known before they are
 * wanted, and kept as offsets alone: the profiles of an installation are more than fits into memory.
 */
async function lastVersions({ home: { kafka, codecs, prefix } }: Switching) {
  const topic = prefix + topics.profiles.name;
  const codec = await codecs.ofTopic(topic, topics.profiles.value);
  const offsets = new Map<string, string>();
  const read = (take: (id: string, value: Buffer, offset: string) => void | Promise<void>) =>
    readPartitions(kafka, [topic], {
      onBatch: async ({ messages }) => {
        for (const { key, value, offset } of messages) if (value) await take(String(key), value, offset);
      },
    });
  const reader = await read((id, _, offset) => {
    offsets.set(id, offset);
  });
  await reader.caughtUp();
  return {
    has: (id: string) => offsets.has(id),
    /** Those of now. */
    async each(take: (id: string, profile: Profile) => Promise<void>): Promise<void> {
      await reader.caughtUp();
      const again = await read(async (id, value, offset) => {
        if (offsets.get(id) !== offset) return;
        await codec.prepare([value]);
        await take(id, codec.decode(value) as Profile);
      });
      try {
        await again.caughtUp();
      } finally {
        await again.stop();
      }
    },
    end: () => reader.stop(),
  };
}

/** The last value of a profile that is gone, as far as anybody needs it. */
function goneProfile(profile_id: string, version: number, into: string | null): Profile {
  const { fields } = typeOf('Profile') as unknown as {
    readonly fields: readonly { readonly name: string; defaultValue(): unknown }[];
  };
  const defaults = Object.fromEntries(fields.map((field) => [field.name, field.defaultValue()]));
  return { ...defaults, profile_id, version, updated_at: 0, gone: true, into } as unknown as Profile;
}

async function clickhouseHasAll({ connections, home, say }: Switching): Promise<void> {
  const { clickhouseDatabase, prefix } = connections.settings;
  const log = new EventLog(home.kafka, () => connections.clickhouse(), clickhouseDatabase, prefix);
  const end = performance.now() + PATIENCE_MS;
  const names = [topics.profiles.name, topics.identityMappings.name];
  const wanted = await Promise.all(names.map(async (name) => ({ name, below: await log.endsOf(name) })));
  for (let told = false; ; told = true) {
    const read = await Promise.all(wanted.map(({ name, below }) => log.hasRead(name, below)));
    if (read.every((one) => one)) return;
    if (!told) say('ClickHouse reads what was published');
    if (performance.now() > end)
      throw new Trouble('ClickHouse has not read what was published', 'does it run? then once more, and it goes on');
    await sleep(LOOK_EVERY_MS * 5);
  }
}
