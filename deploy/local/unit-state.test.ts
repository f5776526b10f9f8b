import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stopped, transition, type UnitEvent, type UnitPolicy, type UnitState } from './unit-state.ts';

const service: UnitPolicy = {
  kind: 'service',
  attempts: 3,
  firstBackOffMs: 100,
  longestBackOffMs: 1_000,
  steadyMs: 30_000,
};
const task: UnitPolicy = { ...service, kind: 'task' };
const died = (readyMs = 0): UnitEvent => ({ type: 'exited', success: false, reason: 'exit code 1', readyMs });
const ended: UnitEvent = { type: 'exited', success: true, reason: 'exit code 0', readyMs: 0 };

function run(policy: UnitPolicy, events: readonly UnitEvent[]): { state: UnitState; effects: string[] } {
  let state: UnitState = stopped;
  const effects: string[] = [];
  for (const event of events) {
    const next = transition(state, event, policy);
    state = next.state;
    for (const effect of next.effects) effects.push('ms' in effect ? `wait ${effect.ms}` : effect.type);
  }
  return { state, effects };
}

describe('a service', () => {
  it('starts, gets ready, is signalled and stops', () => {
    const { state, effects } = run(service, [{ type: 'start' }, { type: 'answered' }, { type: 'stop' }, ended]);
    expect(state).toEqual(stopped);
    expect(effects).toEqual(['spawn', 'signal']);
  });

  it('is killed when it does not heed the signal', () => {
    const { effects } = run(service, [{ type: 'start' }, { type: 'stop' }, { type: 'grace over' }]);
    expect(effects).toEqual(['spawn', 'signal', 'kill']);
  });

  it('is killed when it does not get ready in time, and tried again', () => {
    const { effects } = run(service, [{ type: 'start' }, { type: 'start overdue' }, died(), { type: 'back-off over' }]);
    expect(effects).toEqual(['spawn', 'kill', 'wait 100', 'spawn']);
  });

  it('fails for good when it never gets ready, with the reason', () => {
    const tries: UnitEvent[] = [died(), { type: 'back-off over' }, died(), { type: 'back-off over' }, died()];
    const { state, effects } = run(service, [{ type: 'start' }, ...tries]);
    expect(state).toEqual({ name: 'failed', reason: 'exit code 1' });
    expect(effects).toEqual(['spawn', 'wait 100', 'spawn', 'wait 200', 'spawn']);
  });

  it('is restarted for ever once it has been ready, ever more slowly up to a limit', () => {
    const again: UnitEvent[] = Array.from({ length: 6 }, () => [died(), { type: 'back-off over' } as const]).flat();
    const { state, effects } = run(service, [{ type: 'start' }, { type: 'answered' }, ...again]);
    expect(state.name).toBe('starting');
    expect(effects.filter((effect) => effect.startsWith('wait'))).toEqual([
      'wait 100',
      'wait 200',
      'wait 400',
      'wait 800',
      'wait 1000',
      'wait 1000',
    ]);
  });

  it('waits short again when it had been steady before it died', () => {
    const cycle: UnitEvent[] = [{ type: 'answered' }, died(1), { type: 'back-off over' }];
    const { effects } = run(service, [{ type: 'start' }, ...cycle, ...cycle, { type: 'answered' }, died(30_000)]);
    expect(effects.at(-1)).toBe('wait 100');
  });

  it('stops while it backs off without having to be signalled', () => {
    const { state, effects } = run(service, [{ type: 'start' }, died(), { type: 'stop' }, { type: 'back-off over' }]);
    expect(state).toEqual(stopped);
    expect(effects).toEqual(['spawn', 'wait 100']);
  });
});

describe('a task', () => {
  it('is ready when it has ended well, and stops without a signal', () => {
    const { state, effects } = run(task, [{ type: 'start' }, ended, { type: 'stop' }]);
    expect(state).toEqual(stopped);
    expect(effects).toEqual(['spawn']);
  });

  it('is tried again when it ended badly', () => {
    expect(run(task, [{ type: 'start' }, died(), { type: 'back-off over' }, ended]).state.name).toBe('ready');
  });
});

it('has a process exactly in the states that say so, whatever happens in whatever order', () => {
  const event = fc.oneof(
    fc.constantFrom<UnitEvent>(
      { type: 'start' },
      { type: 'stop' },
      { type: 'answered' },
      { type: 'start overdue' },
      { type: 'grace over' },
      { type: 'back-off over' },
    ),
    fc.record({
      type: fc.constant('exited' as const),
      success: fc.boolean(),
      reason: fc.constant('x'),
      readyMs: fc.nat(60_000),
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(service, task), fc.array(event, { maxLength: 60 }), (policy, events) => {
      let state: UnitState = stopped;
      let alive = false;
      for (const event of events) {
        // A process that is not there cannot end.
        if (event.type === 'exited' && !alive) continue;
        const next = transition(state, event, policy);
        if (event.type === 'exited') alive = false;
        for (const effect of next.effects) {
          if (effect.type === 'spawn') {
            expect(alive).toBe(false);
            alive = true;
          }
          if (effect.type === 'signal' || effect.type === 'kill') expect(alive).toBe(true);
        }
        state = next.state;
        const shouldLive =
          ['starting', 'stopping'].includes(state.name) || (state.name === 'ready' && policy.kind === 'service');
        expect(alive).toBe(shouldLive);
      }
    }),
  );
});
