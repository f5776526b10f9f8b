import { report } from 'node:process';
import { beforeAll, describe, expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { addresses } from '../../support/addresses.ts';
import { type CollectorProcess, defineSources, startCollector } from '../../support/collector-process.ts';
import { createInstallation, type Installation } from '../../support/installation.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { until } from '../../support/until.ts';

const MANY = 10_000;
/** Room for the tests' own questions. */
const SPARE = 100;
/** Node takes as many as the system allows. */
const { soft: mostFiles } = (report.getReport() as { userLimits: { open_files: { soft: number | 'unlimited' } } })
  .userLimits.open_files;

let installation: Installation;
let collector: CollectorProcess;

beforeAll(async () => {
  installation = await createInstallation(addresses());
  await defineSources(installation, { shop: { writeKeys: [{ key: 'shop-key' }] } });
  collector = await startCollector(addresses(), installation.prefix, {
    TRIBUTARY_COLLECTOR_MOST_CONNECTIONS: String(MANY + SPARE),
    // What it has in a container of a gibibyte, as in docker-compose.yml.
    NODE_OPTIONS: '--max-old-space-size=512',
  });
  await collector.ready();
  return async () => {
    await collector.stop();
    await installation.close();
  };
});

let said = 0;
function head(): { readonly head: string; readonly body: string } {
  const body = `{"event":"E","userId":"u${said % 100}","messageId":"m${said++}"}`;
  return {
    head: `POST /v1/track HTTP/1.1\r\nhost: x\r\nx-write-key: shop-key\r\ncontent-length: ${body.length}\r\n`,
    body,
  };
}
const request = (): string => {
  const { head: start, body } = head();
  return `${start}\r\n${body}`;
};

/** Some at a time: more than wait to be accepted would be refused by the kernel. */
async function open(count: number): Promise<RawConnection[]> {
  const connections: RawConnection[] = [];
  while (connections.length < count) {
    const next = Math.min(500, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: next }, () => RawConnection.open(collector.url)))));
  }
  return connections;
}
const close = (connections: readonly RawConnection[]): void => {
  for (const { socket } of connections) socket.destroy();
};

/** How many there are of each status. */
async function statuses(connections: readonly RawConnection[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of await Promise.all(connections.map((one) => one.answer()))) {
    const status = answer?.status ?? 'closed';
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

const stored = async (): Promise<number> =>
  (await topicOffsets(installation.admin, installation.prefix + topics.eventsCollected.name)).reduce(
    (sum, { high }) => sum + Number(high),
    0,
  );

async function metric(name: string): Promise<number> {
  const lines = (await (await fetch(`${collector.url}/metrics`)).text()).split('\n');
  return Number(
    lines
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1) ?? 0,
  );
}
const sockets = (): Promise<number> => metric('nodejs_active_resources{type="TCPSocketWrap"');
/** Of ours nothing is open any more, and nothing of what they sent is held. */
const gone = async (before: number): Promise<void> => {
  await until('all connections are gone', async () => (await sockets()) <= before + 2);
  for (const name of ['tributary_collector_bytes_in_hand', 'tributary_collector_waiting_bytes'])
    await expect.poll(() => metric(name), { message: name }).toBe(0);
};

describe.skipIf(mostFiles !== 'unlimited' && mostFiles < 2 * MANY)('10,000 connections', () => {
  test('each is answered, again and again; those beyond the limit are closed; nothing of them is left', async () => {
    const before = await sockets();
    const connections = await open(MANY);
    for (const turn of [1, 2]) {
      for (const connection of connections) connection.say(request());
      expect(await statuses(connections), `turn ${turn}`).toEqual({ 200: MANY });
    }
    const more = await open(2 * SPARE);
    for (const connection of more) connection.say(request());
    const { closed = 0, 200: taken = 0 } = await statuses(more);
    expect(closed).toBeGreaterThanOrEqual(SPARE);
    expect(taken).toBe(2 * SPARE - closed);
    said -= closed;
    for (const connection of connections.slice(0, 100)) connection.say(request());
    expect(await statuses(connections.slice(0, 100))).toEqual({ 200: 100 });
    close([...connections, ...more]);
    await gone(before);
    expect(await metric('tributary_collector_unavailable_total{code="too_many_connections"')).toBeGreaterThanOrEqual(
      SPARE,
    );
    expect(await stored()).toBe(said);
  });

  test('most of them dawdle, or leave in the middle: the others are served, and nothing of them is left', async () => {
    const [before, storedBefore] = [await sockets(), await stored()];
    const dawdlers = await open(MANY);
    const late = dawdlers.map((connection, n) => {
      const { head: start, body } = head();
      // Some are still at their headers, others at their body.
      const cut = n % 2 === 0 ? Math.floor(start.length / 2) : start.length + 2 + Math.floor(body.length / 2);
      const whole = `${start}\r\n${body}`;
      connection.say(whole.slice(0, cut));
      return whole.slice(cut);
    });
    await until('half of them are at their body', async () => (await metric('tributary_collector_bytes_in_hand')) > 0);
    const quick = await open(50);
    for (let turn = 0; turn < 20; turn++) {
      for (const connection of quick) connection.say(request());
      expect(await statuses(quick)).toEqual({ 200: 50 });
    }
    // Who came first would first be told that it took too long.
    const [hasty, patient] = [dawdlers.slice(0, MANY / 2), dawdlers.slice(MANY / 2)];
    close(hasty);
    patient.forEach((connection, n) => {
      connection.say(late[MANY / 2 + n] as string);
    });
    expect(await statuses(patient)).toEqual({ 200: MANY / 2 });
    close([...patient, ...quick]);
    await gone(before);
    expect(await stored()).toBe(storedBefore + MANY / 2 + 1_000);
    expect(collector.child.exitCode).toBeNull();
  });

  test('all of them send as many headers as they may, and never end: who was there goes on', async () => {
    const before = await sockets();
    const [friend] = (await open(1)) as [RawConnection];
    const floods = await open(MANY);
    const headers = Array.from({ length: 150 }, (_, n) => `x${n}: ${'x'.repeat(60)}\r\n`).join('');
    for (const flood of floods) flood.say(`POST /v1/track HTTP/1.1\r\nhost: x\r\n${headers}`);
    for (let turn = 0; turn < 20; turn++) expect((await friend.say(request()).answer())?.status).toBe(200);
    close([friend, ...floods]);
    await gone(before);
    expect(collector.child.exitCode).toBeNull();
  });
});
