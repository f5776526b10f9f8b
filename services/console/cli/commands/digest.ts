import type { Generation } from '#schemas/generated/records.ts';
import { accountingTopic, generationsTopic, quietTopics, topics } from '#schemas/topics.ts';
import { addDigests, digestOf, formatDigest } from '#shared/profiles/digest.ts';
import { followDigests, type ProfilesTopic } from '../../adapters/profile-feed.ts';
import { Warehouse } from '../../adapters/warehouse.ts';
import { DigestTable, type Total } from '../../core/compare/digest-table.ts';
import { toldAsDigested } from '../../core/compare/told-as-digested.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { readTopic } from '../read-topic.ts';
import { timeOf } from '../time-of.ts';
import { Trouble } from '../trouble.ts';
import { warehouseQuery } from '../warehouse-query.ts';

/** Number of profiles and the digest over them: of the live feed, of a generation, or of what ClickHouse has. */
export async function digest(connections: Connections): Promise<Output> {
  const { asOf, clickhouse } = connections.settings;
  const at = timeOf(asOf);
  const total = clickhouse
    ? await warehouseTotal(connections, at)
    : await feedTotal(connections, await feedOf(connections), at);
  const json = { profiles: total.profiles, digest: formatDigest(total.digest) };
  return { json, text: `${json.digest}  ${json.profiles} profiles` };
}

/** The feed of the generation that was asked for. @throws Trouble */
async function feedOf(connections: Connections): Promise<ProfilesTopic> {
  const { generation, prefix } = connections.settings;
  const there = new Set(await (await connections.kafka()).listTopics());
  const records = new Map<string, Generation>();
  if (there.has(prefix + generationsTopic.name))
    await readTopic(await connections.home(), generationsTopic, (key, record) => {
      if (record) records.set(key, record);
    });
  const record = records.get(String(generation));
  // Where no record says which generation is live, it is the one that was never started as another.
  const isLive = record
    ? record.state === 'live'
    : ![...records.values()].some(({ state }) => state === 'live') &&
      there.has(prefix + accountingTopic(generation).name);
  if (isLive) return topics.profiles;
  if (!record || record.state === 'dropped')
    throw new Trouble(`there is no generation ${generation}`, '`tributary replay list` tells which there are', 2);
  return quietTopics(generation).profiles;
}

async function feedTotal(connections: Connections, topic: ProfilesTopic, at: number | undefined): Promise<Total> {
  const table = new DigestTable(1, at === undefined ? undefined : [at]);
  const reader = await followDigests(await connections.home(), topic, { table, feed: 0 });
  try {
    await reader.caughtUp();
  } finally {
    await reader.stop();
  }
  return table.total(0);
}

const PAGE = 1_000;

async function warehouseTotal(connections: Connections, at: number | undefined): Promise<Total> {
  const warehouse = new Warehouse(warehouseQuery(connections));
  let total = { profiles: 0, digest: 0n };
  let after: string | undefined;
  do {
    const { profiles, end } = await warehouse.profilesAfter(after, PAGE, at);
    for (const told of profiles)
      total = { profiles: total.profiles + 1, digest: addDigests(total.digest, digestOf(toldAsDigested(told))) };
    after = end;
  } while (after !== undefined);
  return total;
}
