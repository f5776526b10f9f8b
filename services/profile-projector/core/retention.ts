import type { ProfileState, Tributary } from '#schemas/generated/records.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';

/*
 * An anonymous profile expires when nothing was received of it for so long. What was received until then is forgotten, of each of its
 * identifiers by itself: so it stays forgotten wherever the identifier is at home later, and whatever of it comes late, or once more.
 */

/** How long anonymous profiles are kept. */
export interface Retention {
  /** Milliseconds without anything received. */
  readonly ms: number;
  /** Default profile id of the identifier with this hash. */
  readonly homeOf: (hash: string) => string;
}

const DAY_MS = 86_400_000;

/**
 * A profile that has only now become anonymous is kept for so long at least, milliseconds: while a person is united with another, what
 * identifies them may leave the profile a moment before the rest does.
 */
const graceOf = (ms: number): number => Math.min(ms, DAY_MS);

/** Types that do not tell who somebody is, unless the rules say otherwise. */
const ANONYMOUS = ['anonymous_id', 'device_id'];

/** Which types of identifiers tell who somebody is, by the identity rules. */
export interface Anonymity {
  /** `external_id:crm` is as `external_id`, unless the rules name it. What they do not name at all tells. */
  isAnonymous(type: string): boolean;
  /** Differs where anything of it does. */
  readonly text: string;
}

export function anonymityIn({ types }: Pick<DefinitionBodies['identity_rules'], 'types'>): Anonymity {
  const told = new Map(types.map(({ type, identifies }) => [type, identifies ?? !ANONYMOUS.includes(type)]));
  return {
    isAnonymous: (type) => (told.get(type) ?? told.get(type.split(':', 1)[0] as string)) === false,
    text: [...told]
      .map(([type, identifies]) => `${type} ${identifies}`)
      .sort()
      .join(),
  };
}

/** Whether nothing in a profile tells who it is. An account is told by its group. */
export const areAnonymous = (tributaries: readonly Tributary[], { isAnonymous }: Anonymity): boolean =>
  tributaries.every(({ identifier, kind }) => kind === 'person' && isAnonymous(identifier.type));

/** When something of them was received last, milliseconds. */
export const lastReceived = (tributaries: readonly Tributary[]): number =>
  tributaries.reduce((last, { updated_at }) => Math.max(last, updated_at), 0);

/**
 * When an anonymous profile is to be looked at, milliseconds. That need not be when it will have been silent for long enough: as
 * long as it stands early it stays, so that an event moves nothing.
 *
 * @param last when something was received last
 * @param hasCome whether it is being looked at since that time has come
 */
export function expiresAt(
  { expires }: Pick<ProfileState, 'expires'>,
  last: number,
  ms: number,
  now: number,
  hasCome: boolean,
): number {
  const at = last + ms;
  const next = expires !== null && at > now ? at : Math.max(at, now + graceOf(ms));
  return expires === null || hasCome ? next : Math.min(expires, next);
}
