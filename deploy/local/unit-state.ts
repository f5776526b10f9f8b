/** Where one unit is in its life. `failures` counts starts in a row that did not last. */
export type UnitState =
  | { readonly name: 'stopped' }
  | { readonly name: 'starting'; readonly failures: number; readonly wasReady: boolean }
  | { readonly name: 'ready'; readonly failures: number }
  | { readonly name: 'stopping' }
  | { readonly name: 'backing-off'; readonly failures: number; readonly wasReady: boolean; readonly reason: string }
  | { readonly name: 'failed'; readonly reason: string };

export type UnitEvent =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  /** Its probe said that it can be used. */
  | { readonly type: 'answered' }
  /** The process ended, or could not be started. `readyMs`: how long it had been ready. */
  | { readonly type: 'exited'; readonly success: boolean; readonly reason: string; readonly readyMs: number }
  | { readonly type: 'start overdue' }
  | { readonly type: 'grace over' }
  | { readonly type: 'back-off over' };

export type UnitEffect =
  | { readonly type: 'spawn' }
  | { readonly type: 'signal' }
  | { readonly type: 'kill' }
  | { readonly type: 'wait'; readonly ms: number };

export interface UnitPolicy {
  readonly kind: 'service' | 'task';
  /** Starts that may fail before the unit has ever been ready. Once it has been, it is restarted for ever. */
  readonly attempts: number;
  readonly firstBackOffMs: number;
  readonly longestBackOffMs: number;
  /** Ready for so long: a later death is a new trouble, not the old one again. */
  readonly steadyMs: number;
}

export interface Transition {
  readonly state: UnitState;
  readonly effects: readonly UnitEffect[];
}

export const stopped: UnitState = { name: 'stopped' };

type Of<S extends UnitState['name']> = Extract<UnitState, { name: S }>;
type On<E extends UnitEvent['type']> = Extract<UnitEvent, { type: E }>;
type Table = {
  readonly [S in UnitState['name']]: {
    readonly [E in UnitEvent['type']]: (state: Of<S>, event: On<E>, policy: UnitPolicy) => Transition;
  };
};

const stay = (state: UnitState): Transition => ({ state, effects: [] });
const spawn = (failures: number, wasReady: boolean): Transition => ({
  state: { name: 'starting', failures, wasReady },
  effects: [{ type: 'spawn' }],
});
const toStopped = (): Transition => stay(stopped);
const askToStop = (): Transition => ({ state: { name: 'stopping' }, effects: [{ type: 'signal' }] });

function backOff(failures: number, wasReady: boolean, reason: string, policy: UnitPolicy): Transition {
  if (!wasReady && failures >= policy.attempts) return stay({ name: 'failed', reason });
  const ms = Math.min(policy.longestBackOffMs, policy.firstBackOffMs * 2 ** (failures - 1));
  return { state: { name: 'backing-off', failures, wasReady, reason }, effects: [{ type: 'wait', ms }] };
}

/** Total: what every event means in every state. `stay` is an event that comes too late, or asks for what is so already. */
const table: Table = {
  stopped: {
    start: () => spawn(0, false),
    stop: stay,
    answered: stay,
    exited: stay,
    'start overdue': stay,
    'grace over': stay,
    'back-off over': stay,
  },
  starting: {
    start: stay,
    stop: askToStop,
    answered: (state, _event, { kind }) =>
      kind === 'task' ? stay(state) : stay({ name: 'ready', failures: state.failures }),
    exited: (state, event, policy) =>
      policy.kind === 'task' && event.success
        ? stay({ name: 'ready', failures: 0 })
        : backOff(state.failures + 1, state.wasReady, event.reason, policy),
    'start overdue': (state) => ({ state, effects: [{ type: 'kill' }] }),
    'grace over': stay,
    'back-off over': stay,
  },
  ready: {
    start: stay,
    stop: (_state, _event, { kind }) => (kind === 'task' ? toStopped() : askToStop()),
    answered: stay,
    exited: (state, event, policy) =>
      policy.kind === 'task'
        ? stay(state)
        : backOff(event.readyMs >= policy.steadyMs ? 1 : state.failures + 1, true, event.reason, policy),
    'start overdue': stay,
    'grace over': stay,
    'back-off over': stay,
  },
  stopping: {
    start: stay,
    stop: stay,
    answered: stay,
    exited: toStopped,
    'start overdue': stay,
    'grace over': (state) => ({ state, effects: [{ type: 'kill' }] }),
    'back-off over': stay,
  },
  'backing-off': {
    start: (state) => spawn(state.failures, state.wasReady),
    stop: toStopped,
    answered: stay,
    exited: stay,
    'start overdue': stay,
    'grace over': stay,
    'back-off over': (state) => spawn(state.failures, state.wasReady),
  },
  failed: {
    start: () => spawn(0, false),
    stop: toStopped,
    answered: stay,
    exited: stay,
    'start overdue': stay,
    'grace over': stay,
    'back-off over': stay,
  },
};

/** What a unit does next. Pure; the runner carries the effects out. */
export function transition(state: UnitState, event: UnitEvent, policy: UnitPolicy): Transition {
  const handle = table[state.name][event.type] as (
    state: UnitState,
    event: UnitEvent,
    policy: UnitPolicy,
  ) => Transition;
  return handle(state, event, policy);
}
