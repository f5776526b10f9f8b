import { isDeepStrictEqual } from 'node:util';
import type {
  ComputedTrait,
  EventStitched,
  ProfileState,
  Trait,
  TraitFill,
  TraitSweep,
} from '#schemas/generated/records.ts';
import { conditionChangesAt, holds, orderOf } from '#shared/expressions/condition.ts';
import type { AskedProfile } from '#shared/expressions/evaluate.ts';
import type { Aggregate, Condition } from '#shared/expressions/expression.ts';
import type { Cell } from '#shared/expressions/fold.ts';
import { answerOf, changesAt, merge } from '#shared/expressions/fold.ts';
import { EVERYTHING } from '#shared/generations/rebuilt.ts';
import type { Stores, Work } from '#shared/task/task.ts';
import { inPieces, type Kept, keyOf } from './core/cells.ts';
import { none } from './core/sorted.ts';
import { toldText } from './core/told.ts';
import { allFolded, type FoldedTrait, reconciled, TraitsByEvent, type WantedTrait } from './core/traits-in-force.ts';
import type { Computed } from './core/version.ts';
import { Places, placeStores } from './places.ts';

export const computingStores = {
  ...placeStores,
  /** By trait@version: what events are folded into here. */
  folded: { record: 'TraitFill' },
  sweep: { record: 'TraitSweep' },
  /** By time/profile id; a profile has at most one. */
  timer: { record: 'Timer' },
} as const satisfies Stores;

type ComputingWork = Work<typeof computingStores, { readonly told: { readonly value: 'TraitFill' } }>;

/** Profiles that are looked at again in one batch. */
const AT_ONCE = 300;
/** Where work waits for others to be caught up. */
const LATER_MS = 1_000;
const SWEEP = 'sweep';
/** In the place of an epoch: nothing was told of the profile yet, since its history was still being read. */
export const UNTOLD = -1;

/** The computed traits of a partition during a batch: what is folded, what is told, and what the time alone changes. */
export class Computing {
  readonly #work: ComputingWork;
  readonly #byKey = new Map<string, FoldedTrait>();
  #told: readonly FoldedTrait[];
  readonly #byEvent: TraitsByEvent;
  readonly #places: Places;
  #sweep: TraitSweep;
  /** There is work for which others must have come first. */
  #waits = false;
  #isRebuilding = false;

  /**
   * @param sensitivities of traits that are not none
   * @param retention what decides when profiles expire
   * @param rebuilds where a generation that knows nothing yet has all before from: the history of events, or the log that it reads from its
   * start; none: it is not one that is rebuilt
   */
  constructor(
    work: ComputingWork,
    wanted: readonly WantedTrait[],
    sensitivities: Readonly<Record<string, string>>,
    retention: string,
    rebuilds: 'history' | 'log' | 'none',
  ) {
    this.#work = work;
    const all = work.scan('folded', '').map(([, value]) => value);
    const everything = all.find(({ trait }) => trait === EVERYTHING.trait);
    const folded = all.filter((one) => one !== everything);
    const isNew = rebuilds !== 'none' && !everything && work.scan('profile' as never, '', '', 1).length === 0;
    if (isNew) this.#begin({ ...EVERYTHING, compute: '', time_zone: 'UTC' });
    this.#isRebuilding = rebuilds !== 'log' && (isNew || everything?.complete === false);
    this.#sweep = work.get('sweep', SWEEP) ?? { epoch: 0, sensitivities: {}, after: null, dead: [], retention: '' };
    const { begin, end } = reconciled(folded, wanted);
    for (const one of end) work.remove('folded', keyOf(one));
    const begun = begin.map((one) => this.#begin(one));
    const ended = new Set(end.map(keyOf));
    const traits = allFolded([...folded.filter((one) => !ended.has(keyOf(one))), ...begun]);
    for (const one of traits) this.#byKey.set(one.key, one);
    this.#byEvent = new TraitsByEvent(traits);
    this.#places = new Places(work, (part) => this.#byEvent.partOf(part));
    this.#told = toldOf(traits);
    const isOther =
      retention !== this.#sweep.retention || !isDeepStrictEqual({ ...this.#sweep.sensitivities }, { ...sensitivities });
    if (isOther) this.#sweep = { ...this.#sweep, sensitivities, retention };
    if (isOther || end.length > 0) this.#look(end.map(keyOf));
  }

  /** All profiles are to be looked at. */
  look(): void {
    this.#look(none);
  }

  /** All have been, as far as they were to be. */
  get haveBeenLookedAt(): boolean {
    return this.#sweep.after === null;
  }

  get #now(): number {
    return this.#work.moment.now;
  }

  get epoch(): number {
    return this.#sweep.epoch;
  }

  /** History is still being read: what is known of profiles is not all, and nothing is told of them. */
  get isRebuilding(): boolean {
    return this.#isRebuilding;
  }

  cellsOf(event: EventStitched): Kept {
    return this.#byEvent.cellsOf(event);
  }

  /** History has been told. */
  complete(versions: readonly { readonly trait: string; readonly version: number }[]): void {
    for (const one of versions) {
      const folded = this.#work.get('folded', keyOf(one));
      if (!folded || folded.complete) continue;
      const completed = { ...folded, complete: true };
      this.#work.put('folded', keyOf(one), completed);
      if (one.trait === EVERYTHING.trait) this.#isRebuilding = false;
      for (const known of allFolded([completed])) this.#byKey.set(known.key, known);
      this.#told = toldOf([...this.#byKey.values()]);
      this.#look([]);
    }
  }

  /** Whether other traits are told than when this was computed, or its time has come. */
  isPast({ epoch, due }: ProfileState): boolean {
    return epoch !== this.epoch || (due !== null && due <= this.#now);
  }

  /** Adds cells to those at a place. @param place profile id/hash */
  add(place: string, kept: Kept): void {
    this.#places.add(place, kept);
  }

  /** Removes from a place what no window will hold any more. */
  trim(place: string): void {
    this.#places.trim(place);
  }

  /** Takes all cells away from a place, in parts that can travel. */
  take(place: string): Kept[] {
    return inPieces(this.#places.take(place));
  }

  /** In parts that can travel. */
  inPieces(kept: Kept): Kept[] {
    return inPieces(this.#byEvent.withinBytes(kept));
  }

  /**
   * What is told of a profile now.
   * @param places of its identifiers
   * @param touched what got cells; undefined: any may differ
   */
  computed(
    places: readonly string[],
    state: ProfileState,
    traits: readonly Trait[],
    touched?: readonly Kept[],
  ): Computed {
    const { epoch } = this;
    if (this.#told.length === 0) return { told: none, epoch, due: null };
    const now = this.#now;
    let due = touched ? state.due : null;
    const told: ComputedTrait[] = [];
    const profile = { traits: valuesIn(traits), computed: valuesIn(told) };
    for (const one of this.#told) {
      const { trait, version, asked } = one;
      if (touched && one.isAggregate && !hasCells(touched, trait, version)) {
        const known = named(state.computed, trait);
        if (known) told.push(known);
        continue;
      }
      const [value, next] = one.isAggregate
        ? this.#answer(places, one, now)
        : this.#holds(asked as Condition, places, one, profile, now);
      if (next !== undefined && (due === null || next < due)) due = next;
      const text = value === undefined ? undefined : toldText(value);
      if (text !== undefined) told.push({ name: trait, value: text, definition_version: version });
    }
    return { told: sortedByName(told), epoch, due };
  }

  /** What an aggregate answers, and when that may change. */
  #answer(places: readonly string[], one: FoldedTrait, now: number): readonly [unknown, number | undefined] {
    const asked = one.aggregates[0] as Aggregate;
    const cells = this.#cellsOf(places, one, 0);
    return [answerOf(asked, cells, now, one.zone), changesAt(asked, cells, now, one.zone)];
  }

  /** Whether a condition holds, and when that may change. */
  #holds(
    asked: Condition,
    places: readonly string[],
    one: FoldedTrait,
    profile: AskedProfile,
    now: number,
  ): readonly [unknown, number | undefined] {
    const cells = (aggregate: Aggregate) => this.#cellsOf(places, one, one.aggregates.indexOf(aggregate));
    const kept = { traits: profile.traits, computed: profile.computed, cells };
    return [holds(asked, kept, now, one.zone), conditionChangesAt(asked, kept, now, one.zone)];
  }

  /** What is kept of an aggregate in all places together. */
  #cellsOf(places: readonly string[], { trait, version, aggregates }: FoldedTrait, part: number): readonly Cell[] {
    let cells: readonly Cell[] = none;
    for (const place of places) {
      const held = this.#places.part(place, { trait, version, part });
      if (held) cells = merge(aggregates[part] as Aggregate, cells, held.cells);
    }
    return cells;
  }

  /** Sets a profile's timer, which goes at `before` as yet. */
  wake(profileId: string, before: number | null, at: number | null): void {
    if (before === at) return;
    if (before !== null) this.#work.remove('timer', timerKey(before, profileId));
    if (at !== null) this.#work.put('timer', timerKey(at, profileId), { profile_id: profileId });
  }

  /**
   * Profiles to look at again, since the time has come, or since other traits are told; more come with the next batch.
   * @param edition so are those that were told last in an earlier one
   */
  waiting(edition: number): { readonly byTime: readonly string[]; readonly bySweep: readonly string[] } {
    const nobody = { byTime: none, bySweep: none };
    if (this.#isRebuilding || (this.#sweep.after === null && this.#nextTimer > this.#now)) return nobody;
    // What has not come yet might make up for what leaves.
    this.#waits = !this.#work.moment.isCaughtUp;
    if (this.#waits) return nobody;
    const dueBefore = timerKey(this.#now + 1, '');
    const due = this.#work.scan('timer', '', '', AT_ONCE).filter(([key]) => key < dueBefore);
    for (const [key] of due) this.#work.remove('timer', key);
    this.#work.goOn();
    return { byTime: due.map(([, { profile_id }]) => profile_id), bySweep: this.#swept(edition) };
  }

  /** After all else: says when there is something to do again without inputs. */
  rest(): void {
    if (this.#isRebuilding) return;
    const next = this.#nextTimer;
    if (this.#waits) this.#work.wakeAt(this.#now + LATER_MS);
    else if (Number.isFinite(next)) this.#work.wakeAt(next);
  }

  /** When the first timer goes, milliseconds. */
  get #nextTimer(): number {
    const [first] = this.#work.scan('timer', '', '', 1);
    return first ? Number(first[0].slice(0, TIME_DIGITS)) : Number.POSITIVE_INFINITY;
  }

  #swept(edition: number): string[] {
    const { after, dead } = this.#sweep;
    if (after === null) return [];
    const found = this.#work.scan('profile' as never, '', after, AT_ONCE) as unknown as [string, ProfileState][];
    if (dead.length > 0)
      for (const [profileId, { members }] of found)
        for (const hash of members) this.#places.take(`${profileId}/${hash}`, (part) => dead.includes(keyOf(part)));
    const last = found.length < AT_ONCE ? null : (found.at(-1)?.[0] ?? null);
    this.#sweep = { ...this.#sweep, after: last, dead: last === null ? [] : dead };
    this.#work.put('sweep', SWEEP, this.#sweep);
    if (last === null) this.#tellWhole();
    const isToBeTold = ({ alive, epoch, edition: told }: ProfileState): boolean =>
      epoch === UNTOLD || told < edition || (alive && epoch !== this.epoch);
    return found.filter(([, state]) => isToBeTold(state)).map(([profileId]) => profileId);
  }

  /** Of a generation that is rebuilt: that all its profiles are told, with all that is computed. */
  #tellWhole(): void {
    const folded = this.#work.scan('folded', '').map(([, fill]) => fill);
    const everything = folded.find(({ trait }) => trait === EVERYTHING.trait);
    if (everything && folded.every(({ complete }) => complete))
      this.#work.emit('told', `${keyOf(everything)}/${everything.partition}`, everything, this.#now);
  }

  #look(dead: readonly string[]): void {
    this.#sweep = { ...this.#sweep, epoch: this.#sweep.epoch + 1, after: '', dead: [...this.#sweep.dead, ...dead] };
    this.#work.put('sweep', SWEEP, this.#sweep);
  }

  #begin(wanted: WantedTrait): TraitFill {
    const { partition, partitions } = this.#work.moment;
    const cut = this.#work.moment.positionOf('event');
    const fill = { ...wanted, partition, partitions, cut, rows: 0, of: 0, complete: false };
    this.#work.put('folded', keyOf(fill), fill);
    this.#work.emit('told', `${keyOf(fill)}/${partition}`, fill, this.#now);
    return fill;
  }
}

const TIME_DIGITS = 15;
const timerKey = (at: number, profileId: string): string => `${String(at).padStart(TIME_DIGITS, '0')}/${profileId}`;

function hasCells(touched: readonly Kept[], trait: string, version: number): boolean {
  for (const kept of touched)
    for (const part of kept) if (part.trait === trait && part.version === version) return true;
  return false;
}

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T | undefined {
  for (const one of all) if (one.name === name) return one;
  return undefined;
}

/** Values by name; there are few. */
const valuesIn = (traits: readonly { readonly name: string; readonly value: string }[]) => ({
  get: (name: string): string | undefined => named(traits, name)?.value,
});

/** Mostly they are: only those that ask about others may stand later than their names say. */
function sortedByName(told: ComputedTrait[]): readonly ComputedTrait[] {
  for (let n = 1; n < told.length; n++)
    if ((told[n] as ComputedTrait).name < (told[n - 1] as ComputedTrait).name)
      return told.sort((a, b) => (a.name < b.name ? -1 : 1));
  return told;
}

/** Of each trait the latest version that is complete: each after those that it asks about. */
function toldOf(folded: readonly FoldedTrait[]): FoldedTrait[] {
  const told = new Map<string, FoldedTrait>();
  for (const one of folded)
    if (one.complete && one.version > (told.get(one.trait)?.version ?? 0)) told.set(one.trait, one);
  const found = orderOf(new Map([...told].map(([name, { asked }]) => [name, asked])));
  // Circles are refused where they are defined; versions that were never in force together might still make one.
  const order = 'order' in found ? found.order : [...told.keys()].sort();
  return order.map((name) => told.get(name) as FoldedTrait);
}
