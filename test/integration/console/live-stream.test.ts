import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import { createLog } from '#shared/service/log.ts';
import { LiveStream } from '../../../services/console/adapters/live-stream.ts';
import type { Problem } from '../../../services/console/core/problem.ts';
import { addresses } from '../../support/addresses.ts';
import { anEvent } from '../../support/counting-task.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';

let installation: Installation;
let live: LiveStream;
let running: Promise<void>;
let server: Server;
let url: string;
/** Consumers that were told to connect, and not to disconnect yet. */
const connected = new Set<object>();
const responses: ServerResponse[] = [];
const metrics = new Registry();
const log = createLog('test', process.env.TRIBUTARY_TEST_LOG ?? 'silent');

beforeAll(async () => {
  installation = await createInstallation(addresses());
  const { kafka: client, codecs, prefix } = installation;
  const kafka = {
    admin: () => client.admin(),
    consumer: (options: Parameters<KafkaClient['consumer']>[0]) => {
      const consumer = client.consumer(options);
      const { connect, disconnect } = consumer;
      // Its events would also tell of connections that it loses and makes anew by itself.
      consumer.connect = () => {
        connected.add(consumer);
        return connect();
      };
      consumer.disconnect = async () => {
        await disconnect();
        connected.delete(consumer);
      };
      return consumer;
    },
  } as KafkaClient;
  live = new LiveStream({ kafka, codecs, prefix, sending: undefined, metrics, log });
  running = live.run();
  server = createServer((request, response) => {
    responses.push(response);
    try {
      live.take(request, response);
    } catch (error) {
      response.writeHead((error as Problem).status).end((error as Problem).code);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await live?.stop();
  await running;
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  await installation?.close();
});

/** Somebody who watches, and reads what comes unless told to pause. */
async function watcher() {
  const request = get(url, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  response.on('error', () => undefined);
  const told = (event: string): Record<string, unknown>[] =>
    [...text.matchAll(new RegExp(`^event: ${event}\\ndata: (.*)\\n\\n`, 'gm'))].map(
      ([, data]) => JSON.parse(data as string) as Record<string, unknown>,
    );
  return {
    response,
    told,
    missed: () => told('missed').reduce((sum, { count }) => sum + (count as number), 0),
    ready: () => until('it watches', () => told('state').some(({ watching }) => watching === true)),
    leave: () => void request.destroy(),
  };
}

const collect = (...values: ReturnType<typeof anEvent>[]) =>
  produce(
    installation,
    topics.eventsCollected,
    values.map((value) => ({ key: value.message_id, value })),
  );

describe('the live stream', () => {
  test('reads the topics only while somebody watches, and shows what comes from then on', async () => {
    await collect(anEvent('before'));
    expect(connected.size).toBe(0);
    const first = await watcher();
    await first.ready();
    expect(connected.size).toBe(1);
    const second = await watcher();
    await second.ready();
    expect(connected.size).toBe(1);
    await collect(anEvent('now'));
    for (const { told } of [first, second]) {
      await until('it is told of the event', () => told('passing').length > 0);
      expect(told('hello')).toEqual([{ collector: null }]);
      expect(told('passing').map(({ what, message_id }) => [what, message_id])).toEqual([['accepted', 'now']]);
    }
    first.leave();
    second.leave();
    await until('nobody reads', () => connected.size === 0);
    const third = await watcher();
    await third.ready();
    await collect(anEvent('later'));
    await until('it is told of the event', () => third.told('passing').length > 0);
    expect(third.told('passing')[0]).toMatchObject({ message_id: 'later' });
    third.leave();
    await until('nobody reads again', () => connected.size === 0);
  });

  test('says how much it left out where more passes than can be looked at', async () => {
    const one = await watcher();
    await one.ready();
    await collect(...Array.from({ length: 500 }, (_, i) => anEvent(`many-${i}`)));
    await until('all is told or missed', () => one.told('passing').length + one.missed() === 500);
    expect(one.told('passing').length).toBeGreaterThanOrEqual(50);
    expect(one.missed()).toBeGreaterThan(0);
    one.leave();
    await until('nobody reads', () => connected.size === 0);
  });

  test('keeps next to nothing for whoever does not take it, and others miss nothing', async () => {
    const quick = await watcher();
    const slow = await watcher();
    await quick.ready();
    const [, held] = responses.slice(-2) as [ServerResponse, ServerResponse];
    slow.response.pause();
    // More than the sockets of both sides hold.
    const event = 'x'.repeat(800_000);
    let most = 0;
    for (let i = 0; i < 24; i++) {
      await collect({ ...anEvent(`large-${i}`), event });
      most = Math.max(most, held.writableLength);
    }
    await until('the quick one has all', () => quick.told('passing').length + quick.missed() === 24);
    most = Math.max(most, held.writableLength);
    expect(most).toBeGreaterThan(64 * 1024);
    expect(most).toBeLessThan(64 * 1024 + 850_000);
    slow.response.resume();
    await until('the slow one knows what it missed', () => slow.told('passing').length + slow.missed() === 24);
    expect(slow.missed()).toBeGreaterThan(quick.missed());
    quick.leave();
    slow.leave();
  });

  test('has room for so many, and lets all go when it stops', async () => {
    await until('nobody watches', () => connected.size === 0);
    const all = await Promise.all(Array.from({ length: 50 }, watcher));
    expect(all.map(({ response }) => response.statusCode)).toEqual(Array(50).fill(200));
    expect((await fetch(url)).status).toBe(503);
    expect(await (await fetch(url)).text()).toBe('too_many_watchers');
    expect(await metrics.getSingleMetricAsString('tributary_live_watchers')).toContain('tributary_live_watchers 50');
    all[0]?.leave();
    await until('there is room again', async () => {
      const next = await watcher();
      return next.response.statusCode === 200;
    });
    const ended = all.slice(1).map(({ response }) => once(response, 'end'));
    await live.stop();
    await Promise.all(ended);
    expect(await (await fetch(url)).text()).toBe('not_ready');
    expect(connected.size).toBe(0);
  });
});
