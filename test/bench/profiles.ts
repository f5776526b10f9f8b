import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Profile } from '#schemas/generated/records.ts';
import { fillsTopic, topics } from '#schemas/topics.ts';
import { applyDefinitions } from '#shared/definitions/apply.ts';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { readSecret } from '#shared/service/start-up.ts';
import { memoryPartition } from '#shared/task/memory.ts';
import { residentBytes } from '../../deploy/local/process-identity.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';
import type { RunningPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { openWriter, type Writer, writeBacklog } from './backlog.ts';
import { bytesUnder, type Ground, openGround } from './ground.ts';
import type { LoadReport } from './load.ts';
import { cpuSince, generateLoad } from './processes.ts';
import type { CoreFigures, CoreOptions } from './projector-core.ts';
import { NOW, Shoppers, tenTraits } from './shoppers.ts';
import { INPUTS, measure, type StageFigures } from './stages.ts';

const run = promisify(execFile);

/** With ten computed traits, and without any. */
interface Both<T> {
  readonly with: T;
  readonly without: T;
}

export interface ComputingFigures {
  /** Whose events these are. */
  readonly of: string;
  readonly core: Both<CoreFigures>;
  readonly kafka: Both<StageFigures>;
}

export interface ReadApiFigures {
  readonly profiles: number;
  /** Seconds until the view had all of them. */
  readonly filled: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly beside: readonly AnsweredBeside[];
}

/** Questions answered while something else goes on. */
export interface AnsweredBeside {
  readonly what: string;
  /** Requests a second that were asked for. */
  readonly reads: number;
  readonly report: LoadReport;
  /** CPU of a request, of the console's process with all that it followed meanwhile, microseconds. */
  readonly cpu: number;
  /** Cores that each process kept busy meanwhile: what is left of the machine is what answers had to wait for. */
  readonly cores: Readonly<Record<string, number>>;
  /** A second. */
  readonly written: number;
}

export async function benchComputing(
  platform: RunningPlatform,
  kafkaPid: number,
  { events, rounds }: { readonly events: number; readonly rounds: number },
  profiles?: string,
): Promise<ComputingFigures[]> {
  const figures: ComputingFigures[] = [];
  for (const visitors of [true, false]) {
    const core = (traits: boolean): Promise<CoreFigures> =>
      projectInMemory({ people: 20_000, events, rounds, visitors, traits, disk: false });
    const inKafka = async (traits: boolean): Promise<StageFigures> => {
      const ground = await openGround(platform, profiles);
      const stage = await projectFromKafka(ground, kafkaPid, { events: events * 2, visitors, traits });
      await ground.close();
      return stage;
    };
    figures.push({
      of: visitors ? 'visitors of twenty events each' : 'anybody at random',
      core: { without: await core(false), with: await core(true) },
      kafka: { without: await inKafka(false), with: await inKafka(true) },
    });
  }
  return figures;
}

/** What an event costs, with ten computed traits and state on disk, while there are so many profiles. */
export async function benchCrowds(crowds: readonly number[], events: number): Promise<CoreFigures[]> {
  const figures: CoreFigures[] = [];
  for (const people of crowds)
    figures.push(await projectInMemory({ people, events, rounds: 2, visitors: false, traits: true, disk: true }));
  return figures;
}

async function projectInMemory(options: CoreOptions): Promise<CoreFigures> {
  const script = new URL('./projector-core.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [
    // As services run.
    '--max-semi-space-size=32',
    '--max-old-space-size=8192',
    script,
    JSON.stringify(options),
  ]);
  return JSON.parse(stdout) as CoreFigures;
}

/** The projector's process, from a backlog; its traits are complete before, since there is no history. */
async function projectFromKafka(
  ground: Ground,
  kafkaPid: number,
  { events, visitors, traits }: { readonly events: number; readonly visitors: boolean; readonly traits: boolean },
): Promise<StageFigures> {
  if (traits) await beginTraits(ground);
  const shoppers = new Shoppers(20_000, events);
  const backlog = Array.from({ length: events }, () => (visitors ? shoppers.visit() : shoppers.next()));
  await writeBacklog(ground, topics.eventsStitched, backlog, ({ profile_id }) => profile_id);
  const projector = await ground.start('profile-projector');
  const figures = await measure(traits ? 'ten traits' : 'no traits', projector, kafkaPid, {
    total: events,
    done: () => projector.metric(INPUTS, 'input="event"'),
    idle: async () => true,
  });
  await projector.stop();
  return figures;
}

async function beginTraits(ground: Ground): Promise<void> {
  const { kafka, admin, codecs, prefix } = ground.installation;
  const partitions = (await topicOffsets(admin, prefix + topics.eventsStitched.name)).length;
  const wanted = Object.entries(tenTraits).map(([name, compute]) => ({
    kind: 'traits' as const,
    name,
    body: definitionKinds.traits.parse({ compute }),
  }));
  await applyDefinitions({ kafka, codecs, prefix, partitions, replication: 1 }, wanted, {
    actor: 'bench',
    reason: '',
    at: Date.now(),
  });
  const complete = wanted.map(({ name }) => ({ trait: name, version: 1 }));
  const fills = Array.from({ length: partitions }, (_, partition) => ({
    profile_id: keyOfPartition(partition, partitions),
    version: 0,
    identifier: null,
    received_at: 0,
    tributary: null,
    cells: [],
    complete,
    generation: 1,
  }));
  const projector = await ground.start('profile-projector');
  await sleep(2_000);
  await writeBacklog(ground, fillsTopic(1), fills, ({ profile_id }) => profile_id);
  await until(
    'the traits are complete',
    async () => (await projector.metric(INPUTS, 'input="fill"')) >= partitions,
    20_000,
  );
  await projector.stop();
}

function keyOfPartition(partition: number, partitions: number): string {
  for (let n = 0; ; n++) if (partitionOf(`to all/${n}`, partitions) === partition) return `to all/${n}`;
}

const READS = 1_000;
const WRITES = 1_000;
const WARM_UP_SECONDS = 8;

/**
 * Profiles by their identifiers, asked for at a steady rate by another process: while the feed brings as many versions as there would
 * be, and while the whole river makes them on the same machine.
 */
export async function benchReadApi(
  platform: RunningPlatform,
  kafkaPid: number,
  { profiles, seconds }: { readonly profiles: number; readonly seconds: number },
  cpuProfiles?: string,
): Promise<ReadApiFigures> {
  const ground = await openGround(platform, cpuProfiles);
  const { dataDir } = platform;
  const { apiPort, collectorPort } = platform.platform.settings;
  const hashing = hashingWith(readSecret({ secretFile: '', dataDirectory: dataDir }));
  const template = await someProfile();
  const began = performance.now();
  const console = await ground.start('console');
  const resident = (): number => residentBytes(console.pid) ?? Number.NaN;
  const empty = resident();
  const feed = await openWriter(ground, topics.profiles, ({ profile_id }) => profile_id);
  await feed.write(likeOne(template, { from: 0, to: profiles, version: 1 }, hashing));
  const token = readFileSync(join(dataDir, 'api-token'), 'utf8').trim();
  const isThere = async (person: number): Promise<boolean> =>
    fetch(`http://127.0.0.1:${apiPort}/v1/profiles/user_id:user-${person}`, {
      headers: { authorization: `Bearer ${token}` },
    }).then(async (response) => {
      await response.arrayBuffer();
      return response.ok;
    });
  await until(
    'the view has all profiles',
    async () => {
      for (let back = 1; back <= 20; back++) if (!(await isThere(Math.max(0, profiles - back)))) return false;
      return true;
    },
    240_000,
  );
  const filled = (performance.now() - began) / 1_000;

  const ask = async (
    what: string,
    pids: Readonly<Record<string, number>>,
    writing: Promise<number>,
  ): Promise<AnsweredBeside> => {
    let used = cpuSince(pids);
    let cpu: Readonly<Record<string, number>> = {};
    const report = await generateLoad(
      {
        port: apiPort,
        connections: 64,
        batch: 1,
        name: 'api',
        firstPerson: 0,
        warmUpSeconds: WARM_UP_SECONDS,
        seconds,
        rate: READS,
        reads: { token, people: profiles },
      },
      {
        begin: () => {
          used = cpuSince(pids);
        },
        end: () => {
          cpu = used();
        },
      },
    );
    const busy = [...Object.entries(cpu), ['questions', report.cpu] as const];
    return {
      what,
      reads: READS,
      report,
      cpu: (cpu.console ?? Number.NaN) / report.requests,
      cores: Object.fromEntries(busy.map(([name, micros]) => [name, micros / report.seconds / 1e6])),
      written: await writing,
    };
  };

  const pids = { console: console.pid, kafka: kafkaPid };
  const steadily = writeSteadily(feed, WARM_UP_SECONDS + seconds, (written) => {
    const from = written % profiles;
    const to = Math.min(profiles, from + WRITES / STEPS);
    return likeOne(template, { from, to, version: 2 + Math.floor(written / profiles) }, hashing);
  });
  const besideFeed = await ask('new versions on the feed', pids, steadily);
  await feed.close();
  const memoryBytes = resident() - empty;
  const diskBytes = bytesUnder(join(dataDir, ground.installation.prefix, 'state', 'g1', 'console'));

  const [collector, stitcher, projector] = await Promise.all([
    ground.start('collector'),
    ground.start('identity-stitcher'),
    ground.start('profile-projector'),
  ]);
  const river = generateLoad({
    port: collectorPort,
    connections: 32,
    batch: 1,
    name: 'reads',
    firstPerson: 40_000_000,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: seconds + 1,
    rate: WRITES,
  }).then(({ requests, seconds }) => requests / seconds);
  const all = { ...pids, collector: collector.pid, stitcher: stitcher.pid, projector: projector.pid };
  const besideRiver = await ask('events, by the whole river on the same machine', all, river);
  await Promise.all([collector, stitcher, projector, console].map((service) => service.stop()));
  await ground.close();
  return { profiles, filled, memoryBytes, diskBytes, beside: [besideFeed, besideRiver] };
}

/** So often within a second something is written. */
const STEPS = 50;

/** @returns how much was written a second */
async function writeSteadily(
  feed: Writer<'Profile'>,
  seconds: number,
  next: (written: number) => Generator<Profile>,
): Promise<number> {
  const began = performance.now();
  let written = 0;
  for (let step = 0; step < seconds * STEPS; step++) {
    await sleep(Math.max(0, began + (step / STEPS) * 1_000 - performance.now()));
    const versions = [...next(written)];
    await feed.write(versions);
    written += versions.length;
  }
  return (written / (performance.now() - began)) * 1_000;
}

function* likeOne(
  template: Profile,
  { from, to, version }: { readonly from: number; readonly to: number; readonly version: number },
  hashing: Hashing,
): Generator<Profile> {
  for (let n = from; n < to; n++) {
    const value = `user-${n}`;
    const identifier = { type: 'user_id', value, hash: hashing.hash('user_id', value) };
    yield { ...template, version, profile_id: hashing.profileIdOf(identifier.hash), identifiers: [identifier] };
  }
}

/** As a shopper's profile is after some thirty events, computed traits and all. */
async function someProfile(): Promise<Profile> {
  const projector = memoryPartition(createProjector({ generation: 1 }), 0);
  const definitions = new Definitions(
    Object.entries(tenTraits).map(([name, compute]) => ({
      kind: 'traits' as const,
      name,
      version: 1,
      body: definitionKinds.traits.parse({ compute }),
    })),
  );
  const complete = Object.keys(tenTraits).map((trait) => ({ trait, version: 1 }));
  const fill = { profile_id: 'all', version: 0, identifier: null, tributary: null, cells: [], complete, generation: 1 };
  await projector.run([{ input: 'fill', key: 'all', value: fill }], definitions, { now: NOW });
  const shoppers = new Shoppers(1, 30);
  const inputs = Array.from({ length: 30 }, () => ({ input: 'event', key: 'one', value: shoppers.next() }));
  const { emitted } = await projector.run(inputs, definitions, { now: NOW });
  return emitted.find(({ output }) => output === 'profile')?.value as Profile;
}
