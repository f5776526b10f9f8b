import { isDeepStrictEqual } from 'node:util';
import type {
  ComputedTrait,
  EventStitched,
  ProfileState,
  TraitCells,
  TraitFill,
  TraitSweep,
} from '#schemas/generated/records.ts';
import { conditionChangesAt, holds, orderOf } from '#shared/expressions/condition.ts';
import { type Aggregate, isAggregate } from '#shared/expressions/expression.ts';
import type { Cell } from '#shared/expressions/fold.ts';
import { answerOf, changesAt, merge } from '#shared/expressions/fold.ts';
import type { Stores, Work } from '#shared/task/task.ts';
import { bytesOf, cellsKeyOf, keyOf, together, trimmed } from './core/cells.ts';
import type { Content } from './core/profile.ts';
import { allFolded, type FoldedTrait, reconciled, TraitsByEvent, type WantedTrait } from './core/traits-in-force.ts';
import type { Computed } from './core/version.ts';

export const computingStores = {
  /** By profile id/hash of the identifier/trait@version/part. */
  cells: { record: 'TraitCells' },
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
/** Of cells that move together. */
const MOST_BYTES_OF_A_MOVE = 200_000;
const SWEEP = 'sweep';

/** The computed traits of a partition during a batch: what is folded, what is told, and what the time alone changes. */
export class Computing {
  readonly #work: ComputingWork;
  readonly #byKey = new Map<string, FoldedTrait>();
  #told: readonly FoldedTrait[];
  readonly #byEvent: TraitsByEvent;
  #sweep: TraitSweep;
  /** There is work for which others must have come first. */
  #waits = false;

  /**
   * @param sensitivities of traits that are not none
   * @param retention what decides when profiles expire
   */
  constructor(
    work: ComputingWork,
    wanted: readonly WantedTrait[],
    sensitivities: Readonly<Record<string, string>>,
    retention: string,
  ) {
    this.#work = work;
    const folded = work.scan('folded', '').map(([, value]) => value);
    this.#sweep = work.get('sweep', SWEEP) ?? { epoch: 0, sensitivities: {}, after: null, dead: [], retention: '' };
    const { begin, end } = reconciled(folded, wanted);
    for (const one of end) work.remove('folded', keyOf(one));
    const begun = begin.map((one) => this.#begin(one));
    const ended = new Set(end.map(keyOf));
    const all = allFolded([...folded.filter((one) => !ended.has(keyOf(one))), ...begun]);
    for (const one of all) this.#byKey.set(one.key, one);
    this.#byEvent = new TraitsByEvent(all);
    this.#told = toldOf(all);
    const isOther =
      retention !== this.#sweep.retention || !isDeepStrictEqual({ ...this.#sweep.sensitivities }, { ...sensitivities });
    if (isOther) this.#sweep = { ...this.#sweep, sensitivities, retention };
    if (isOther || end.length > 0) this.#look(end.map(keyOf));
  }

  get #now(): number {
    return this.#work.moment.now;
  }

  get epoch(): number {
    return this.#sweep.epoch;
  }

  cellsOf(event: EventStitched): readonly TraitCells[] {
    return this.#byEvent.cellsOf(event);
  }

  /** History has been told. */
  complete(versions: readonly { readonly trait: string; readonly version: number }[]): void {
    for (const one of versions) {
      const folded = this.#work.get('folded', keyOf(one));
      if (!folded || folded.complete) continue;
      const completed = { ...folded, complete: true };
      this.#work.put('folded', keyOf(one), completed);
      for (const known of allFolded([completed])) this.#byKey.set(known.key, known);
      this.#told = toldOf([...this.#byKey.values()]);
      this.#look([]);
    }
  }

  /** Adds cells to those at a place. @param place profile id/hash */
  add(place: string, part: TraitCells): void {
    const at = `${place}/${cellsKeyOf(part)}`;
    const held = together(this.#work.get('cells', at), part);
    const of = this.#byKey.get(keyOf(part));
    const asked = of?.aggregates[part.part];
    this.#work.put('cells', at, of && asked ? trimmed(held, asked, this.#now, of.zone) : held);
  }

  /** Takes all cells away from a place, in parts that can travel. */
  take(place: string): TraitCells[][] {
    const parts: TraitCells[][] = [];
    let room = 0;
    for (const [key, cells] of this.#work.scan('cells', `${place}/`)) {
      this.#work.remove('cells', key);
      const bytes = bytesOf(cells);
      if (bytes > room) {
        parts.push([]);
        room = MOST_BYTES_OF_A_MOVE;
      }
      room -= bytes;
      parts.at(-1)?.push(cells);
    }
    return parts;
  }

  /**
   * What is told of a profile now.
   * @param touched what got cells (trait@version/part); undefined: any may differ
   */
  computed(
    profileId: string,
    members: readonly string[],
    state: ProfileState,
    content: Content,
    touched?: ReadonlySet<string>,
  ): Computed {
    const { epoch } = this;
    if (this.#told.length === 0) return { told: [], epoch, due: null };
    const now = this.#now;
    const isFresh = touched !== undefined && state.epoch === epoch && (state.due === null || state.due > now);
    const known = isFresh ? new Map(state.computed.map((one) => [one.name, one])) : undefined;
    let due = isFresh ? state.due : null;
    const cellsOf = (key: string, part: number, asked: Aggregate): readonly Cell[] => {
      let cells: readonly Cell[] = [];
      for (const hash of members) {
        const held = this.#work.get('cells', `${profileId}/${hash}/${key}/${part}`);
        if (held) cells = merge(asked, cells, held.cells);
      }
      return cells;
    };
    const values = new Map<string, string>();
    const profile = { traits: new Map(content.traits.map(({ name, value }) => [name, value])), computed: values };
    const told: ComputedTrait[] = [];
    for (const { key, trait, version, asked, zone, aggregates } of this.#told) {
      let value: unknown;
      let next: number | undefined;
      if (!isAggregate(asked)) {
        const kept = new Map(aggregates.map((one, part) => [one, cellsOf(key, part, one)]));
        const whole = { ...profile, cells: (one: Aggregate) => kept.get(one) ?? [] };
        value = holds(asked, whole, now, zone);
        next = conditionChangesAt(asked, whole, now, zone);
      } else if (known && !touched?.has(`${key}/0`)) {
        const one = known.get(trait);
        if (one) {
          told.push(one);
          values.set(trait, one.value);
        }
        continue;
      } else {
        const cells = cellsOf(key, 0, asked);
        value = answerOf(asked, cells, now, zone);
        next = changesAt(asked, cells, now, zone);
      }
      if (next !== undefined && (due === null || next < due)) due = next;
      if (value === undefined) continue;
      const text = JSON.stringify(value);
      values.set(trait, text);
      told.push({ name: trait, value: text, definition_version: version });
    }
    told.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { told, epoch, due };
  }

  /** Sets a profile's timer, which goes at `before` as yet. */
  wake(profileId: string, before: number | null, at: number | null): void {
    if (before === at) return;
    if (before !== null) this.#work.remove('timer', timerKey(before, profileId));
    if (at !== null) this.#work.put('timer', timerKey(at, profileId), { profile_id: profileId });
  }

  /** Profiles to look at again, since the time has come, or since other traits are told; more come with the next batch. */
  waiting(): { readonly byTime: readonly string[]; readonly bySweep: readonly string[] } {
    const none = { byTime: [], bySweep: [] };
    if (this.#sweep.after === null && this.#nextTimer > this.#now) return none;
    // What has not come yet might make up for what leaves.
    this.#waits = !this.#work.moment.isCaughtUp;
    if (this.#waits) return none;
    const dueBefore = timerKey(this.#now + 1, '');
    const due = this.#work.scan('timer', '', '', AT_ONCE).filter(([key]) => key < dueBefore);
    for (const [key] of due) this.#work.remove('timer', key);
    this.#work.goOn();
    return { byTime: due.map(([, { profile_id }]) => profile_id), bySweep: this.#swept() };
  }

  /** After all else: says when there is something to do again without inputs. */
  rest(): void {
    const next = this.#nextTimer;
    if (this.#waits) this.#work.wakeAt(this.#now + LATER_MS);
    else if (Number.isFinite(next)) this.#work.wakeAt(next);
  }

  /** When the first timer goes, milliseconds. */
  get #nextTimer(): number {
    const [first] = this.#work.scan('timer', '', '', 1);
    return first ? Number(first[0].slice(0, TIME_DIGITS)) : Number.POSITIVE_INFINITY;
  }

  #swept(): string[] {
    const { after, dead } = this.#sweep;
    if (after === null) return [];
    const found = this.#work.scan('profile' as never, '', after, AT_ONCE) as unknown as [string, ProfileState][];
    for (const [profileId, { members }] of found) {
      for (const hash of members)
        for (const key of dead)
          for (const [place] of this.#work.scan('cells', `${profileId}/${hash}/${key}/`))
            this.#work.remove('cells', place);
    }
    const last = found.length < AT_ONCE ? null : (found.at(-1)?.[0] ?? null);
    this.#sweep = { ...this.#sweep, after: last, dead: last === null ? [] : dead };
    this.#work.put('sweep', SWEEP, this.#sweep);
    return found.filter(([, { alive, epoch }]) => alive && epoch !== this.epoch).map(([profileId]) => profileId);
  }

  /** All profiles are to be looked at. */
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
