import { createHash } from 'node:crypto';
import type { Profile, Touch } from '#schemas/generated/records.ts';

/**
 * What "the same" means. The digest of a profile is that of its canonical content: without version, causes, changed, why,
 * updated_at, definitions and generation, which tell how it came to be. The digest of many is the sum of theirs modulo 2^128: their
 * order does not matter, and one can be taken out again.
 */

const MODULUS = 1n << 128n;

/** Of a profile, what its digest depends on. */
export type Digested = Omit<
  Profile,
  'version' | 'changed' | 'causes' | 'why' | 'updated_at' | 'definitions' | 'generation' | 'edition'
>;

/** Canonical content as text: a JSON array of the fields in a fixed order. Lists come sorted, as the feed has them. */
export function canonicalProfile(profile: Digested): string {
  return JSON.stringify([
    profile.profile_id,
    profile.kind,
    profile.identifiers.map(({ type, value, hash }) => [type, value, hash]),
    profile.traits.map(({ name, value, timestamp, message_id, source, sensitivity }) => [
      name,
      value,
      timestamp,
      message_id,
      source,
      sensitivity,
    ]),
    profile.computed.map(({ name, value, definition_version }) => [name, value, definition_version]),
    profile.audiences.map(({ audience, episode, since, definition_version }) => [
      audience,
      episode,
      since,
      definition_version,
    ]),
    profile.consents.map(({ purpose, state, time, source, policy_version }) => [
      purpose,
      state,
      time,
      source,
      policy_version,
    ]),
    profile.events,
    profile.event_counts.map(({ event, count }) => [event, count]),
    profile.revenue.map(({ currency, amount }) => [currency, amount]),
    profile.sources,
    profile.first_seen,
    profile.last_seen,
    profile.flags,
    profile.gone,
    profile.into,
    profile.trait_origins.map(({ path, timestamp, message_id, source }) => [path, timestamp, message_id, source]),
    profile.order_count,
    profile.products.map(({ product, currency, name, quantity, revenue }) => [
      product,
      currency,
      name,
      quantity,
      revenue,
    ]),
    touched(profile.first_touch),
    touched(profile.last_touch),
    profile.session_count,
    profile.session_ms,
    profile.first_session_at,
    profile.last_session_at,
    profile.last_session_until,
    profile.last_session_events,
    profile.groups.map(({ group, traits, timestamp, source }) => [group, traits, timestamp, source]),
    profile.interactions.map(({ id, state, channel, direction, agent, timestamp, source }) => [
      id,
      state,
      channel,
      direction,
      agent,
      timestamp,
      source,
    ]),
  ]);
}

const touched = (touch: Touch | null): readonly unknown[] | null =>
  touch && [
    touch.timestamp,
    touch.message_id,
    touch.source,
    touch.referrer,
    touch.utm_source,
    touch.utm_medium,
    touch.utm_campaign,
    touch.utm_term,
    touch.utm_content,
    touch.utm_id,
  ];

/** The first 128 bits of the SHA-256 of the canonical content. */
export const digestOf = (profile: Digested): bigint =>
  BigInt(`0x${createHash('sha256').update(canonicalProfile(profile)).digest('hex').slice(0, 32)}`);

/** The digest of both: of two profiles, or of two sets of them. `0n` is that of none. */
export const addDigests = (a: bigint, b: bigint): bigint => (a + b) % MODULUS;

/** A digest without the part that `b` had in it. */
export const subtractDigests = (a: bigint, b: bigint): bigint => (a - b + MODULUS) % MODULUS;

/** 32 hexadecimal digits. */
export const formatDigest = (digest: bigint): string => digest.toString(16).padStart(32, '0');
