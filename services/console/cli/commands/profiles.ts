import { stringify } from 'yaml';
import type { Profile } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { exactly } from '#shared/json/exact-json.ts';
import { addDigests, digestOf, formatDigest, subtractDigests } from '#shared/profiles/digest.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { pathOf } from '../path-of.ts';
import { readTopic } from '../read-topic.ts';

/** JSON keeps numbers as they were sent; for people they are rounded as usual. */
const shown = (answer: string): Output => ({ json: exactly(answer), text: stringify(JSON.parse(answer)).trimEnd() });

export const profile = async (connections: Connections, [reference]: readonly string[]): Promise<Output> =>
  shown(await connections.api(pathOf(reference)));

export async function digest(connections: Connections): Promise<Output> {
  const digests = new Map<string, bigint>();
  let sum = 0n;
  await readTopic(await connections.home(), topics.profiles, (key, value: Profile | null) => {
    const before = digests.get(key);
    if (before !== undefined) sum = subtractDigests(sum, before);
    if (!value || value.gone) {
      digests.delete(key);
      return;
    }
    const next = digestOf(value);
    digests.set(key, next);
    sum = addDigests(sum, next);
  });
  const json = { profiles: digests.size, digest: formatDigest(sum) };
  return { json, text: `${json.digest}  ${json.profiles} profiles` };
}
