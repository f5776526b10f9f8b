import { setTimeout as sleep } from 'node:timers/promises';
import type { IdentityClaim } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { type DefinitionsHome, readDefinitions } from '#shared/definitions/apply.ts';
import { inForceOf } from '#shared/definitions/feed.ts';
import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { askedAgain } from '#shared/kafka/asked-again.ts';
import { type Admin, Partitioners } from '#shared/kafka/client.ts';
import { readTopic } from './read-topic.ts';

export type RulesBody = DefinitionBodies['identity_rules'];

/** Identity rules, and where they come from. */
export interface RulesInForce {
  readonly rules: RulesBody;
  readonly origin: 'activated' | 'definitions' | 'built in';
  /** `identity_rules/default@3`; empty for those built in. */
  readonly version: string;
}

/**
 * All claims by their id. Of those that come several times the earliest times count, of withdrawals and activations the last.
 */
export async function readClaims(
  home: DefinitionsHome,
  onProgress: (records: number) => void = () => undefined,
): Promise<Map<string, IdentityClaim>> {
  const claims = new Map<string, IdentityClaim>();
  let records = 0;
  await readTopic(home, topics.identityClaims, (key, claim) => {
    if (++records % 10_000 === 0) onProgress(records);
    const before = claims.get(key);
    if (!claim) claims.delete(key);
    else if (claim.kind === 'withdraw' || claim.kind === 'activate_rules') {
      claims.delete(key);
      claims.set(key, claim);
    } else claims.set(key, before ? earlierOf(before, claim) : claim);
  });
  return claims;
}

function earlierOf(one: IdentityClaim, other: IdentityClaim): IdentityClaim {
  const occurred = [one, other].map(({ occurred_at, received_at }) => occurred_at ?? received_at);
  return { ...(one.received_at <= other.received_at ? one : other), occurred_at: Math.min(...occurred) };
}

/** The rules that the linker goes by: those of the newest claim that activates some, else the definition, else those built in. */
export async function rulesInForce(
  home: DefinitionsHome,
  claims: ReadonlyMap<string, IdentityClaim>,
): Promise<RulesInForce> {
  const newest = [...claims.values()].findLast(({ kind }) => kind === 'activate_rules');
  if (newest && newest.rules !== null) {
    const rules = definitionKinds.identity_rules.parse(JSON.parse(newest.rules));
    const version = newest.definitions.map((one) => `${one.definition}@${one.version}`).join(', ');
    return { rules, origin: 'activated', version };
  }
  const record = (await readDefinitions(home)).get('identity_rules/default');
  const defined = record && !record.deleted ? inForceOf(record) : undefined;
  if (!defined) return { rules: defaultIdentityRules, origin: 'built in', version: '' };
  const version = `${defined.kind}/${defined.name}@${defined.version}`;
  return { rules: defined.body as RulesBody, origin: 'definitions', version };
}

/**
 * Writes claims, all or none: they are one batch of one partition. Others may write at the same time: each claim is a key of its own.
 * @returns the offset of the first
 */
export async function writeClaims(home: DefinitionsHome, claims: readonly IdentityClaim[]): Promise<number> {
  const topic = home.prefix + topics.identityClaims.name;
  const codec = await home.codecs.ofTopic(topic, topics.identityClaims.value);
  const producer = home.kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    const messages = claims.map((claim) => ({
      key: claim.claim_id,
      value: codec.encode(claim),
      timestamp: String(claim.received_at),
    }));
    const [stored] = await producer.send({ topic, acks: -1, messages });
    return Number(stored?.baseOffset);
  } finally {
    await producer.disconnect();
  }
}

/** Waits until the linker has taken all before an offset. @returns whether it has, within the time */
export async function linkerReached(
  admin: Admin,
  { prefix, generation }: { readonly prefix: string; readonly generation: number },
  offset: number,
  withinMs: number,
): Promise<boolean> {
  const topic = prefix + topics.identityClaims.name;
  const groupId = `${prefix}g${generation}.linker`;
  const end = performance.now() + withinMs;
  for (;;) {
    const [group] = await askedAgain(() => admin.fetchOffsets({ groupId, topics: [topic] }));
    if (Number(group?.partitions[0]?.offset ?? -1) >= offset) return true;
    if (performance.now() > end) return false;
    await sleep(50);
  }
}

/** Shows on a terminal how much has been read. */
export function claimsProgress(): { readonly show: (records: number) => void; readonly end: () => void } {
  const { stderr } = process;
  let shown = false;
  return {
    show(records) {
      if (!stderr.isTTY) return;
      shown = true;
      stderr.write(`\r${records} claims read\u001b[K`);
    },
    end() {
      if (shown) stderr.write('\r\u001b[K');
    },
  };
}
