import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { EventCollected, EventRejected } from '#schemas/generated/records.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import type { OutRecord } from '#shared/kafka/in-chunks.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import { readBody } from './adapters/read-body.ts';
import type { RecordWriter } from './adapters/record-writer.ts';
import { Unavailable } from './adapters/record-writer.ts';
import { clientAddress } from './core/client-address.ts';
import type { Decision } from './core/event.ts';
import { allowsOrigin, preflightHeaders } from './core/origins.ts';
import { decideAll, parseBody, type Refusal } from './core/request.ts';
import { type Route, routeOf } from './core/route.ts';
import { rudderSourceConfig, segmentSettings } from './core/sdk-settings.ts';
import type { Sources } from './core/sources.ts';
import { writeKeyOf } from './core/write-key.ts';
import type { CollectorMetrics } from './metrics.ts';

/** A topic to write to. */
export interface Target<V> {
  readonly topic: string;
  readonly partitions: number;
  readonly codec: { encode(value: V): Buffer };
}

export interface Surroundings {
  readonly sources: () => Sources;
  readonly writer: Pick<RecordWriter, 'write'>;
  readonly collected: Target<EventCollected>;
  readonly rejected: Target<EventRejected>;
  readonly hashing: Hashing;
  readonly generation: number;
  readonly mostBodyBytes: number;
  readonly trustedProxies: number;
  readonly metrics: CollectorMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
/** What every SDK takes for success: this status with this body. */
const SUCCESS = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"success":true}' };

/**
 * A request from its first byte to its answer: route, read, authenticate, decide on each event, encode, store, answer. Nothing is
 * acknowledged before Kafka has it.
 * @throws ClientGone
 */
export async function answer(request: IncomingMessage, around: Surroundings): Promise<Answer> {
  const [path, query] = (request.url ?? '/').split(/\?(.*)/s, 2) as [string, string | undefined];
  const route = routeOf(request.method ?? 'GET', path);
  const origin = request.headers.origin;
  const sources = around.sources();
  if (route.to === 'preflight') return preflight(origin, sources);
  const result = await respond(route, request, query, sources, around).catch((error: unknown) => {
    if (!(error instanceof Unavailable)) throw error;
    around.metrics.unavailable(error.code);
    return refusal({ status: 503, code: error.code, message: error.message }, { 'retry-after': '2' });
  });
  return origin && allowsOrigin(sources.origins, origin)
    ? { ...result, headers: { ...result.headers, 'access-control-allow-origin': origin, vary: 'Origin' } }
    : result;
}

async function respond(
  route: Route,
  request: IncomingMessage,
  query: string | undefined,
  sources: Sources,
  around: Surroundings,
): Promise<Answer> {
  switch (route.to) {
    case 'nowhere':
      return refusal({ status: 404, code: 'not_found', message: 'There is nothing here' });
    case 'method-not-allowed':
      return refusal({ status: 405, code: 'method_not_allowed', message: 'Events are sent with POST' });
    case 'sdk-metrics':
      request.resume();
      return SUCCESS;
    case 'settings':
      return settingsFor(route.writeKey, sources, segmentSettings);
    case 'source-config':
      return settingsFor(
        new URLSearchParams(query).get('writeKey') ?? basicUser(request) ?? '',
        sources,
        rudderSourceConfig,
      );
    case 'event':
    case 'batch':
      return collect(route, request, query, sources, around);
    case 'preflight':
      return preflight(request.headers.origin, sources);
  }
}

async function collect(
  route: Extract<Route, { to: 'event' | 'batch' }>,
  request: IncomingMessage,
  query: string | undefined,
  sources: Sources,
  around: Surroundings,
): Promise<Answer> {
  const { headers } = request;
  const bytes = await readBody(request, around.mostBodyBytes);
  if (!Buffer.isBuffer(bytes)) return refusal(bytes);
  const body = parseBody(bytes);
  if ('status' in body) return refusal(body);

  const key = writeKeyOf({
    authorization: headers.authorization,
    header: headers['x-write-key'] as string | undefined,
    body: body.json.writeKey,
    query: query ? new URLSearchParams(query).get('writeKey') : null,
  });
  const found = key === undefined ? undefined : sources.find(key);
  // Without any source the definitions are not there yet: SDKs drop what gets a 401, for ever.
  if (!found && sources.empty) throw new Unavailable('kafka_unavailable', 'The sources are not known yet');
  if (!found)
    return refusal({
      status: 401,
      code: 'unknown_write_key',
      message: key === undefined ? 'The request has no write key' : 'No source has this write key',
    });
  const { source, enabled } = found;
  if (!enabled) return refusal({ status: 403, code: 'disabled', message: 'The source or its write key is disabled' });
  if (headers.origin && !allowsOrigin(source.body.allowedOrigins, headers.origin)) {
    return refusal({ status: 403, code: 'origin_not_allowed', message: 'The source does not allow this origin' });
  }

  const receivedAt = around.now();
  const decisions = decideAll(route, body, {
    source: source.name,
    settings: source.body,
    rules: sources.rules,
    definitions: sources.met(source),
    receivedAt,
    sentAt: body.json.sentAt ?? headers.sentat,
    ip: headers.origin
      ? clientAddress(
          request.socket.remoteAddress,
          headers['x-forwarded-for'] as string | undefined,
          around.trustedProxies,
        )
      : null,
    gpc: headers['sec-gpc'] === '1',
    generation: around.generation,
    hashing: around.hashing,
    newId: randomUUID,
  });
  if (!Array.isArray(decisions)) return refusal(decisions);
  await around.writer.write(decisions.map((decision) => encode(decision, receivedAt, around)));
  for (const { outcome, value } of decisions)
    around.metrics.decided(source.name, outcome, outcome === 'rejected' ? value.reason : '');
  return SUCCESS;
}

function encode(decision: Decision, timestamp: number, { collected, rejected }: Surroundings): OutRecord {
  const { key } = decision;
  const [target, value] =
    decision.outcome === 'accepted'
      ? [collected, collected.codec.encode(decision.value)]
      : [rejected, rejected.codec.encode(decision.value)];
  return { topic: target.topic, partition: partitionOf(key, target.partitions), key, value, timestamp };
}

/** SDKs that read JSON errors look for `code` and `message`; some retry for ever without them. */
const refusal = ({ status, code, message }: Refusal, headers?: Readonly<Record<string, string>>): Answer =>
  json(status, { code, message, error: message }, headers);

function preflight(origin: string | undefined, sources: Sources): Answer {
  const allowed = origin !== undefined && allowsOrigin(sources.origins, origin);
  return { status: 204, headers: allowed ? preflightHeaders(origin) : { vary: 'Origin' }, body: '' };
}

function settingsFor(key: string, sources: Sources, settings: (key: string, name: string) => unknown): Answer {
  const found = sources.find(key);
  return found?.enabled
    ? json(200, settings(key, found.source.name))
    : refusal({ status: 404, code: 'unknown_write_key', message: 'No enabled source has this write key' });
}

const basicUser = ({ headers }: IncomingMessage): string | undefined =>
  writeKeyOf({ authorization: headers.authorization, header: undefined, body: undefined, query: null });
