import type { ComputedTrait, Profile, ProfileState, Trait, Tributary } from '#schemas/generated/records.ts';
import { limits } from './limits.ts';
import { type Content, changedFields, combine, nothing } from './profile.ts';
import { none } from './sorted.ts';

/** What touched a profile in one batch. */
export interface Occasion {
  readonly messageIds: readonly string[];
  readonly byEvent: boolean;
  readonly byRegroup: boolean;
  /** Latest received time of what touched it, milliseconds. */
  readonly time: number;
  /** Whether the linker has it in quarantine from now on. */
  readonly quarantined: boolean;
  /** Where the last tributary that left with events went. */
  readonly into: string | null;
  /** Why it is looked at: the time alone, other traits than before. */
  readonly byWindow: boolean;
  readonly byDefinition: boolean;
  /** Something of it has expired. */
  readonly byRetention: boolean;
  /** It was rebuilt from history. */
  readonly byReplay: boolean;
  /** What is computed of it now, if it lives. */
  readonly computed: (traits: readonly Trait[]) => Computed;
  /** Of traits that are not none. */
  readonly sensitivities: Readonly<Record<string, string>>;
  readonly generation: number;
}

/** Computed traits, sorted by name. */
export interface Computed {
  readonly told: readonly ComputedTrait[];
  /** Of the traits that are told. */
  readonly epoch: number;
  /** When they may change by the time alone, milliseconds. */
  readonly due: number | null;
}

const nothingComputed: Computed = { told: none, epoch: 0, due: null };

/** What to put out, and what to remember. */
export interface NextVersion {
  readonly state: ProfileState;
  /** The new version; undefined when the content is as it was. A `gone` one is followed by a tombstone. */
  readonly profile: Profile | undefined;
}

/** The state of a profile that never was. */
export const unborn: ProfileState = Object.freeze({
  version: 0,
  members: [],
  alive: false,
  into: null,
  quarantined: false,
  computed: [],
  sensitivities: {},
  epoch: 0,
  due: null,
  expires: null,
  edition: 1,
});

/**
 * The version that follows from what a profile's tributaries were and are, and whether it was and is in quarantine. A profile exists while they hold at least one event.
 *
 * @param members hashes of the identifiers of `after`, sorted.
 */
export function nextVersion(
  profileId: string,
  state: ProfileState,
  before: readonly Tributary[],
  after: readonly Tributary[],
  members: readonly string[],
  occasion: Occasion,
): NextVersion {
  const { quarantined } = occasion;
  const alive = after.some((tributary) => tributary.events > 0);
  if (!alive && !state.alive) return { state: { ...state, members, quarantined, due: null }, profile: undefined };

  const was = state.alive
    ? combine(before, state.quarantined, levelIn(state.sensitivities), () => state.computed)
    : nothing;
  let { told, epoch, due }: Computed = nothingComputed;
  const is = alive
    ? combine(after, quarantined, levelIn(occasion.sensitivities), (traits) => {
        ({ told, epoch, due } = occasion.computed(traits));
        return told;
      })
    : { ...nothing, kind: was.kind };
  const changed = changedFields(was, is);
  const into = alive ? null : occasion.into;
  const returns = alive && !state.alive && state.version > 0;
  if (!alive || returns) changed.push('gone');
  if (into !== state.into) changed.push('into');
  if (changed.length === 0) return { state: { ...state, members, quarantined, epoch, due }, profile: undefined };

  const version = state.version + 1;
  let updatedAt = occasion.time;
  for (const tributary of after) updatedAt = Math.max(updatedAt, tributary.updated_at);
  const why: string[] = [];
  if (occasion.byEvent) why.push('event');
  if (occasion.byRegroup) why.push('regroup');
  if (occasion.byWindow) why.push('window');
  if (occasion.byDefinition) why.push('definition');
  if (occasion.byRetention) why.push('retention');
  if (occasion.byReplay) why.push('replay');
  return {
    state: {
      version,
      members,
      alive,
      into,
      quarantined,
      computed: told,
      sensitivities: sensitivitiesOf(is),
      epoch,
      due,
      expires: state.expires,
      edition: state.edition,
    },
    profile: {
      // First, since copying it into an object that has something is several times dearer.
      ...is,
      profile_id: profileId,
      version,
      changed: changed.sort(),
      causes: smallest(occasion.messageIds),
      why,
      updated_at: updatedAt,
      gone: !alive,
      into,
      // Audiences will say here which definitions they follow; computed traits say it themselves.
      definitions: [],
      generation: occasion.generation,
      edition: state.edition,
    },
  };
}

const levelIn = (sensitivities: Readonly<Record<string, string>>) =>
  Object.keys(sensitivities).length === 0
    ? undefined
    : (name: string): string => (Object.hasOwn(sensitivities, name) ? (sensitivities[name] as string) : 'none');

/** As they are told. */
const sensitivitiesOf = ({ traits }: Content): Readonly<Record<string, string>> =>
  traits.some(({ sensitivity }) => sensitivity !== 'none')
    ? Object.fromEntries(
        traits.flatMap(({ name, sensitivity }) => (sensitivity === 'none' ? [] : [[name, sensitivity]])),
      )
    : unborn.sensitivities;

/** The smallest message ids, sorted, each once. */
export function smallest(messageIds: readonly string[]): readonly string[] {
  if (messageIds.length < 2) return messageIds;
  return [...new Set(messageIds)].sort().slice(0, limits.causes);
}
