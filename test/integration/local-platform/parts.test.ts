import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '#shared/kafka/client.ts';
import { readOptions, type Values } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import { Platform } from '../../../deploy/local/platform.ts';
import { type RunningPlatform, startPlatform } from '../../support/platform.ts';

/** What somebody left in each of the three parts, and how to look for it. */
async function leave({ env, registryUrl, clickhouseUrl, clickhousePassword }: RunningPlatform): Promise<number> {
  const admin = kafkaOf(env).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'left', numPartitions: 1 }] });
  await admin.disconnect();
  const producer = kafkaOf(env).producer({ transactionalId: 'leaver', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'left', messages: [{ value: 'behind' }] });
  await transaction.commit();
  await producer.disconnect();
  const registered = await fetch(`${registryUrl}/subjects/left/versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: '"string"' }),
  });
  for (const sql of ['CREATE TABLE left (a UInt8) ENGINE = MergeTree ORDER BY a', 'INSERT INTO left VALUES (7)'])
    expect(await ask(clickhouseUrl, clickhousePassword, sql)).toBe('');
  return ((await registered.json()) as { id: number }).id;
}

async function find({ env, registryUrl, clickhouseUrl, clickhousePassword }: RunningPlatform) {
  const admin = kafkaOf(env).admin();
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets('left').finally(() => admin.disconnect());
  const schema = (await (await fetch(`${registryUrl}/subjects/left/versions/latest`)).json()) as { id: number };
  return {
    // The record and the marker of its commit.
    kafkaEnd: partition?.high,
    schemaId: schema.id,
    row: await ask(clickhouseUrl, clickhousePassword, 'SELECT a FROM left'),
  };
}

const ask = async (url: string, password: string, body: string) =>
  (
    await fetch(`${url}/?database=tributary`, { method: 'POST', headers: { 'X-ClickHouse-Key': password }, body })
  ).text();

function kafkaOf(env: Record<string, string>) {
  const result = readOptions(platformOptions, env, []) as { values: Values<typeof platformOptions> };
  return createKafka(result.values, 'test');
}

const dataDir = mkdtempSync(join(tmpdir(), 'tributary-parts-'));
let running: RunningPlatform;
let schemaId: number;
const start = async () => {
  running = await startPlatform({ dataDir });
};
beforeAll(async () => {
  await start();
  schemaId = await leave(running);
});
afterAll(async () => {
  await running?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
/** As soon as those that were started anew have read what they kept. */
const expectFound = (at: RunningPlatform) =>
  expect.poll(() => find(at), { timeout: 60_000 }).toEqual({ kafkaEnd: '2', schemaId, row: '7\n' });

describe('the three parts', () => {
  it.each(['kafka', 'registry', 'clickhouse'])('%s comes back with its data after kill -9', async (name) => {
    running.kill(name);
    await running.restarted(name);
    await expectFound(running);
    const unit = running.platform.units().find((unit) => unit.name === name);
    expect(unit).toMatchObject({ state: 'ready', restarts: 1, note: 'killed by SIGKILL' });
  });

  it('are found as they were by the next start, on other ports', async () => {
    await running.stop();
    await start();
    await expectFound(running);
  });

  it('keep their secrets to their owner', () => {
    for (const name of ['secret', 'api-token', 'clickhouse-password'])
      expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  it('listen to this machine only', async () => {
    const { readFileSync } = await import('node:fs');
    const ports = new Set(
      ['KAFKA', 'KAFKA_CONTROLLER', 'REGISTRY', 'CLICKHOUSE'].map((name) => {
        const { kafkaPort, kafkaControllerPort, registryPort, clickhousePort } = running.platform.settings;
        return {
          KAFKA: kafkaPort,
          KAFKA_CONTROLLER: kafkaControllerPort,
          REGISTRY: registryPort,
          CLICKHOUSE: clickhousePort,
        }[name];
      }),
    );
    if (process.platform !== 'linux') return;
    const listening = ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => (fields[1] as string).split(':'))
      .filter(([, port]) => ports.has(Number.parseInt(port as string, 16)));
    expect(listening.length).toBeGreaterThanOrEqual(4);
    for (const [address] of listening) expect(['0100007F', '0000000000000000FFFF00000100007F']).toContain(address);
  });
});

describe('a second platform', () => {
  it('is refused the same directory, with the holder’s process id', async () => {
    await expect(startPlatform({ parts: ['clickhouse'], dataDir })).rejects.toThrow(
      `${dataDir} is in use by process ${process.pid}; stop it, or set TRIBUTARY_DATA to another directory`,
    );
    await expectFound(running);
  });

  it('can use the first one’s parts by their addresses, and starts none of its own', async () => {
    const env = {
      TRIBUTARY_KAFKA_BROKERS: running.brokers,
      TRIBUTARY_REGISTRY_URL: running.registryUrl,
      TRIBUTARY_CLICKHOUSE_URL: running.clickhouseUrl,
      TRIBUTARY_CLICKHOUSE_PASSWORD_FILE: join(dataDir, 'clickhouse-password'),
      TRIBUTARY_CLICKHOUSE_REGISTRY_URL: running.env.TRIBUTARY_CLICKHOUSE_REGISTRY_URL as string,
    };
    const second = await startPlatform({ env });
    try {
      expect(second.platform.units()).toEqual([]);
      await expectFound(second);
    } finally {
      await second.stop();
    }
  });

  it('is told which address does not answer', async () => {
    const env = {
      TRIBUTARY_KAFKA_BROKERS: '127.0.0.1:9',
      TRIBUTARY_REGISTRY_URL: 'http://127.0.0.1:9/apis',
      TRIBUTARY_CLICKHOUSE_URL: running.clickhouseUrl,
    };
    const failure = await startPlatform({ env }).then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(failure).toMatch(/^NotPossible: TRIBUTARY_KAFKA_BROKERS: 127\.0\.0\.1:9 does not answer/);
    expect(failure).toMatch(/^TRIBUTARY_REGISTRY_URL: http:\/\/127\.0\.0\.1:9\/apis does not answer/m);
    // There is one, but the new platform's password is not its.
    expect(failure).toMatch(/^TRIBUTARY_CLICKHOUSE_URL: .* does not answer as it should/m);
  });
});

describe('a platform that cannot start', () => {
  it('names the taken port and the setting that moves it', async () => {
    const { clickhousePort } = running.platform.settings;
    const env = { TRIBUTARY_CLICKHOUSE_PORT: String(clickhousePort) };
    await expect(startPlatform({ parts: ['clickhouse'], env })).rejects.toThrow(
      `port ${clickhousePort} is taken; set TRIBUTARY_CLICKHOUSE_PORT to another`,
    );
  });

  it('names the directory that cannot be written', async () => {
    await expect(startPlatform({ parts: ['clickhouse'], dataDir: join(dataDir, 'secret', 'below') })).rejects.toThrow(
      /^cannot write to .*below \(E\w+\); set TRIBUTARY_DATA to a directory of yours$/,
    );
  });

  it('reports every wrong setting at once', () => {
    const env = { TRIBUTARY_KAFKA_PORT: 'x', TRIBUTARY_API_PORT: '70000' };
    expect(() => Platform.settingsFrom(env)).toThrow(/TRIBUTARY_API_PORT[\s\S]*TRIBUTARY_KAFKA_PORT/);
  });
});
