import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { answersHttp } from '../../deploy/local/probes.ts';
import { compiled } from '../../deploy/local/services.ts';
import { addresses } from '../support/addresses.ts';
import { freePorts } from '../support/free-ports.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = temporaryDirectory();
const file = (name: string, content: string): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const secured = inject('securedKafka');
const { registryUrl, clickhouseUrl, clickhousePassword, forClickHouse } = addresses();

let env: Record<string, string>;
const running: { stop(): Promise<unknown> }[] = [];

beforeAll(async () => {
  const [collectorPort, apiPort] = await freePorts(2);
  env = {
    PATH: process.env.PATH ?? '',
    ...compiled,
    TRIBUTARY_KAFKA_BROKERS: secured.brokers,
    TRIBUTARY_KAFKA_TLS: 'true',
    TRIBUTARY_KAFKA_CA_FILE: file('ca.pem', secured.authority),
    TRIBUTARY_KAFKA_SASL_MECHANISM: 'scram-sha-512',
    TRIBUTARY_KAFKA_SASL_USERNAME: secured.username,
    TRIBUTARY_KAFKA_SASL_PASSWORD_FILE: file('password', secured.password),
    TRIBUTARY_REGISTRY_URL: registryUrl,
    TRIBUTARY_CLICKHOUSE_URL: clickhouseUrl,
    TRIBUTARY_CLICKHOUSE_PASSWORD_FILE: file('clickhouse-password', clickhousePassword),
    TRIBUTARY_CLICKHOUSE_BROKERS: forClickHouse.brokers,
    TRIBUTARY_CLICKHOUSE_REGISTRY_URL: forClickHouse.registryUrl,
    TRIBUTARY_FIRST_DEFINITIONS: join(root, 'deploy', 'local', 'definitions.yaml'),
    TRIBUTARY_SECRET_FILE: file('secret', randomBytes(32).toString('hex')),
    TRIBUTARY_API_TOKEN_FILE: file('api-token', randomBytes(16).toString('hex')),
    TRIBUTARY_DATA: directory,
    TRIBUTARY_OPS_PORT: '0',
    TRIBUTARY_COLLECTOR_PORT: String(collectorPort),
    TRIBUTARY_API_PORT: String(apiPort),
  };
});
afterAll(async () => {
  for (const one of running) await one.stop();
});

/** Runs a program of the project to its end. */
async function end(program: string, changes: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(root, program)], { env: { ...env, ...changes } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [code] = await once(child, 'exit');
  return { code, output };
}

function start(service: string): void {
  const child = spawn(process.execPath, [join(root, 'services', service, 'main.ts')], { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  running.push({
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  });
}

test('a broker with a self-signed certificate and passwords: from HTTP to the profile and to ClickHouse', async () => {
  expect(await end('deploy/provision.ts')).toMatchObject({ code: 0 });
  for (const service of ['collector', 'identity-stitcher', 'profile-projector', 'console']) start(service);

  const collector = `http://127.0.0.1:${env.TRIBUTARY_COLLECTOR_PORT}`;
  await until('the collector is ready', () => answersHttp(`${collector}/ready`));
  const sent = await fetch(`${collector}/v1/track`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('local-server:')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 'ada', event: 'Tried', messageId: 'm1' }),
  });
  expect(sent.status).toBe(200);

  const authorization = `Bearer ${readFileSync(env.TRIBUTARY_API_TOKEN_FILE as string, 'utf8')}`;
  const profile = `http://127.0.0.1:${env.TRIBUTARY_API_PORT}/v1/profiles/user_id%3Aada`;
  let answer: unknown;
  await until(
    'the read API knows the profile',
    async () => {
      answer = await fetch(profile, { headers: { authorization } }).then((response) => response.json(), String);
      return expect.objectContaining({ events: 1 }).asymmetricMatch(answer);
    },
    120_000,
    () => answer,
  );

  const clickhouse = createClient({ url: clickhouseUrl, password: clickhousePassword });
  // Its tables stop reading, so that the next test has the server for itself.
  const dropped = () => clickhouse.command({ query: 'DROP DATABASE tributary' }).then(() => clickhouse.close());
  running.unshift({ stop: dropped });
  await until('ClickHouse has the event', async () => {
    const found = await clickhouse.query({ query: 'SELECT message_id FROM tributary.events', format: 'JSONEachRow' });
    return expect.arrayContaining([{ message_id: 'm1' }]).asymmetricMatch(await found.json());
  });
}, 400_000);

test.each([
  [
    'a wrong password',
    () => ({ TRIBUTARY_KAFKA_SASL_PASSWORD_FILE: file('wrong', 'wrong') }),
    /SASL|[Aa]uthentication/,
  ],
  ['an authority that it does not know', () => ({ TRIBUTARY_KAFKA_CA_FILE: '' }), /certificate/],
])('%s is told, and nothing else is tried', async (_, changes, told) => {
  const { code, output } = await end('deploy/provision.ts', changes());
  expect(code).not.toBe(0);
  expect(output).toMatch(told);
  expect(output).not.toContain(secured.password);
});
