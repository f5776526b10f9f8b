import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { LostInfrastructure, PositionContradiction } from '#shared/task/errors.ts';
import type { Runner } from './runner.ts';
import { DestinationSupervisor } from './supervise-destinations.ts';

const body = definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"' });
const defined = (...names: string[]) =>
  new Definitions(names.map((name) => ({ kind: 'destination', name, version: 1, body })));
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Everything around the supervisor, as a list of what it did. */
function surroundings(initial: Definitions, topics: string[] = []) {
  const did: string[] = [];
  const fail = new Map<string, (error: Error) => void>();
  let definitions = initial;
  let changed = (): void => {};
  const runner = (name: string): Runner => {
    let end = (): void => {};
    return {
      name,
      run: () =>
        new Promise((resolve, reject) => {
          did.push(`run ${name}`);
          end = resolve;
          fail.set(name, reject);
        }),
      stop: async () => {
        did.push(`stop ${name}`);
        end();
      },
      notReady: () => [],
    };
  };
  const supervisor = new DestinationSupervisor({
    prefix: 't.',
    log: pino({ level: 'silent' }),
    definitions: () => definitions,
    onDefinitions: (listener) => {
      changed = listener;
    },
    listTopics: async () => topics,
    provision: async (wanted) => {
      for (const { name } of wanted) {
        if (!topics.includes(`t.${name}`)) did.push(`create ${name}`);
        topics.push(`t.${name}`);
      }
    },
    planner: (destinations) => runner(`planner(${destinations.join(' ')})`),
    sender: (destination, signal) => {
      signal.addEventListener('abort', () => did.push(`abort ${destination}`));
      return runner(`sender(${destination})`);
    },
  });
  const running = supervisor.run();
  running.catch(() => undefined);
  return {
    supervisor,
    running,
    did,
    fail: (name: string, error: Error) => fail.get(name)?.(error),
    define: (next: Definitions) => {
      definitions = next;
      changed();
    },
  };
}

describe('the supervisor of destinations', () => {
  it('gives a new destination its topics, then its sender, then its place in the planner', async () => {
    const { did, define } = surroundings(defined('a'));
    await settled();
    expect(did.splice(0)).toEqual(['create delivery.a', 'create delivery.a.dead', 'run sender(a)', 'run planner(a)']);
    define(defined('a', 'b'));
    await settled();
    expect(did).toEqual([
      'create delivery.b',
      'create delivery.b.dead',
      'run sender(b)',
      'stop planner(a)',
      'run planner(a b)',
    ]);
  });

  it('leaves all as it is when only settings change', async () => {
    const { did, define } = surroundings(defined('a'));
    await settled();
    did.length = 0;
    define(defined('a').with({ kind: 'destination', name: 'a', version: 2, body: { ...body, enabled: false } }));
    await settled();
    expect(did).toEqual([]);
  });

  it('lets the sender of a deleted destination settle what is left, also after a restart', async () => {
    const { did } = surroundings(defined(), ['t.delivery.old', 't.delivery.old.dead']);
    await settled();
    expect(did).toEqual(['run sender(old)', 'run planner(old)']);
  });

  it('goes on planning for a destination that is deleted, since requests for it may be held', async () => {
    const { did, define } = surroundings(defined('a', 'b'));
    await settled();
    did.length = 0;
    define(defined('a'));
    await settled();
    expect(did).toEqual([]);
  });

  it('goes on for the others when one destination contradicts its log, and says so', async () => {
    const { supervisor, running, did, fail } = surroundings(defined('a', 'b'));
    await settled();
    did.length = 0;
    fail('sender(a)', new PositionContradiction('the log and the task disagree'));
    await settled();
    expect(did).toEqual(['abort a', 'stop sender(a)']);
    expect(supervisor.notReady()).toEqual(['sender(a) has stopped: the log and the task disagree']);
    await supervisor.stop();
    await running;
  });

  it.each(['sender(a)', 'planner(a)'])('cannot go on when %s has lost its infrastructure', async (name) => {
    const { running, fail } = surroundings(defined('a'));
    await settled();
    fail(name, new LostInfrastructure('no Kafka'));
    await expect(running).rejects.toThrow('no Kafka');
  });

  it('ends attempts and waits before it stops the senders', async () => {
    const { supervisor, running, did } = surroundings(defined('a'));
    await settled();
    did.length = 0;
    await supervisor.stop();
    await running;
    expect(did.indexOf('abort a')).toBeLessThan(did.indexOf('stop sender(a)'));
    expect(did).toContain('stop planner(a)');
  });
});
