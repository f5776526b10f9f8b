import type { Profile } from '#schemas/generated/records.ts';
import { quietTopics, topics, traitFillsTopic } from '#schemas/topics.ts';
import { readGenerations } from '#shared/generations/records.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { digestOf, formatDigest } from '#shared/profiles/digest.ts';
import { compareWithWarehouse } from '../adapters/compare-with-warehouse.ts';
import { followTopic } from '../adapters/follow-topic.ts';
import { readSaid } from '../adapters/profile-feed.ts';
import { Warehouse } from '../adapters/warehouse.ts';
import { noProfiles, withProfile } from '../core/compare/digest-table.ts';
import { profileDifferences } from '../core/compare/profile-differences.ts';
import { Sample } from '../core/compare/sample.ts';
import type { Version } from '../core/compare/standing.ts';
import { toldAsDigested } from '../core/compare/told-as-digested.ts';
import { progressOf } from './commands/replay.ts';
import { askEventLog, compareFeeds, type Facts, factsOf } from './comparing.ts';
import type { Connections } from './connections.ts';
import { warehouseQuery } from './warehouse-query.ts';

type Say = (what: string, advice: string) => void;

/** So much of the feed is read: all of it, or the newest of it. */
const MOST_RECORDS = 50_000;
/** So many profiles are compared with ClickHouse, and of so many the event log is asked. */
const MOST_COMPARED = 2_000;
const MOST_NAMED = 5;

const REBUILD =
  '`tributary replay` rebuilds profiles from the event log beside the live ones, and `tributary replay compare` tells which are right';

/**
 * Whether the live feed, ClickHouse, the event log and the generations beside say the same of profiles. Bounded: of a large installation
 * it looks at what was written last.
 */
export async function examineProfiles(connections: Connections, find: Say, note: Say): Promise<void> {
  const { profiles, facts, isWhole, total } = await readFeed(connections);
  const warehouse = new Warehouse(warehouseQuery(connections));
  const { differing, behind } = await compareWithWarehouse(warehouse, profiles);
  if (differing.length > 0)
    find(
      `ClickHouse has ${differing.length} of ${profiles.size} profiles otherwise than the feed:${await namesOf(connections, warehouse, differing)}`,
      `services go by the feed. ${REBUILD}`,
    );
  if (behind.length > 0)
    find(
      `ClickHouse has not read the newest version of ${behind.length} of ${profiles.size} profiles${list(behind)}`,
      'is its lag in `tributary status` not 0? Then it is behind. Else it lost them: what it has of `profiles` is to be restored',
    );
  const query = warehouseQuery(connections);
  const asking = { home: await connections.home(), query, topics: [topics.profiles], at: undefined, limit: MOST_NAMED };
  const { disagreeing, disputed } = await askEventLog(asking, facts);
  if (disagreeing > 0)
    find(
      `of ${disagreeing} of ${facts.size} profiles SQL over the event log says something else (events, revenue or last touch):${disputed
        .map(({ profile_id, guess, disagreements }) => {
          const paths = disagreements.map(
            ({ path, profile, log }) => `${path} ${JSON.stringify(profile)}, log ${JSON.stringify(log)}`,
          );
          const events = guess.events.length > 0 ? ` (${guess.events.slice(0, MOST_NAMED).join(', ')})` : '';
          const where = guess.at === 'event log' ? ' in the event log' : '';
          return `\n    ${profile_id}: ${guess.reason}${where}${events}: ${paths.join('; ')}`;
        })
        .join('')}`,
      disputed.some(({ guess }) => guess.at === 'event log')
        ? 'what is missing in the event log no replay from it can bring back: restore it first (docs/replay.md)'
        : REBUILD,
    );
  const looked = isWhole
    ? `${total.profiles} profiles, digest ${formatDigest(total.digest)}: ${facts.size} compared with ClickHouse and with the event log`
    : `of the newest ${MOST_RECORDS} versions ${facts.size} profiles compared with ClickHouse and with the event log; \`tributary digest\` and \`tributary digest --clickhouse\` look at all`;
  const generations = await examineGenerations(connections, find, isWhole);
  note([looked, ...generations].join('; '), '');
}

const list = (ids: readonly string[]): string =>
  ids
    .slice(0, MOST_NAMED)
    .map((id) => `\n    ${id}`)
    .join('');

/** The first profiles that differ, with the paths of what does. */
async function namesOf(connections: Connections, warehouse: Warehouse, ids: readonly string[]): Promise<string> {
  const some = ids.slice(0, MOST_NAMED);
  const said = await readSaid(await connections.home(), topics.profiles, new Set(some));
  const there = await warehouse.profilesNow(some);
  return some
    .map((id) => {
      const told = there.get(id)?.told;
      const differences = profileDifferences(said.get(id)?.profile, told ? toldAsDigested(told) : undefined);
      return `\n    ${id}: ${differences.map(({ path }) => path).join(', ')}`;
    })
    .join('');
}

async function readFeed(connections: Connections) {
  const home = await connections.home();
  const name = home.prefix + topics.profiles.name;
  const bounds = await topicOffsets(await connections.kafka(), name);
  const records = bounds.reduce((sum, { low, high }) => sum + high - low, 0);
  const isWhole = records <= MOST_RECORDS;
  const each = Math.floor(MOST_RECORDS / Math.max(1, bounds.length));
  const from = new Map(
    bounds.map(({ partition, low, high }) => [`${name}/${partition}`, isWhole ? low : Math.max(low, high - each)]),
  );
  const all = new Map<string, bigint>();
  const sample = new Sample<Version & { readonly facts: Facts | undefined }>(MOST_COMPARED);
  const reader = await followTopic(home, topics.profiles, { from }, (id, profile: Profile | null) => {
    // A tombstone has no version: what says that it is gone came before.
    if (!profile) return;
    const digest = profile.gone ? 0n : digestOf(profile);
    if (isWhole) all.set(id, digest);
    sample.set(id, { version: profile.version, digest, facts: profile.gone ? undefined : factsOf(profile) });
  });
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
  const facts = new Map([...sample.kept].flatMap(([id, one]) => (one.facts ? [[id, one.facts] as const] : [])));
  return { profiles: sample.kept, facts, isWhole, total: [...all.values()].reduce(withProfile, noProfiles) };
}

/** @returns what was looked at */
async function examineGenerations(connections: Connections, find: Say, isSmall: boolean): Promise<string[]> {
  const { generation: own } = connections.settings;
  const home = { ...(await connections.home()), generation: own };
  const there = await (await connections.kafka()).listTopics();
  const looked: string[] = [];
  for (const record of (await readGenerations(home)).values()) {
    if (record.state !== 'replaying') continue;
    const { generation } = record;
    const compare = `tributary replay compare ${generation}`;
    const hasBegun = there.includes(home.prefix + traitFillsTopic(generation).name);
    const isComplete = hasBegun && (await progressOf(home, record)).complete;
    if (!isComplete) looked.push(`generation ${generation} is not complete yet`);
    else if (!isSmall) looked.push(`generation ${generation} was not compared: \`${compare}\``);
    else {
      const found = await compareFeeds({
        home,
        query: warehouseQuery(connections),
        topics: [topics.profiles, quietTopics(generation).profiles],
        at: undefined,
        limit: 0,
        mostAsked: 0,
      });
      const count = found.agreement.differing.length;
      if (count === 0) looked.push(`generation ${generation} says the same`);
      else {
        const reasons = Object.entries(found.reasons).map(([reason, times]) => `${times} ${reason}`);
        find(
          `generation ${generation} has ${count} profiles otherwise (${reasons.join(', ')})`,
          `\`${compare}\` tells which and why`,
        );
      }
    }
  }
  return looked;
}
