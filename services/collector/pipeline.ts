import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Hashing } from '#shared/identity/hashing.ts';
import type { OutRecord } from '#shared/kafka/in-chunks.ts';
import { partitionOf } from '#shared/kafka/partition-of.ts';
import type { RateLimit, RateLimits } from '#shared/service/rate-limits.ts';
import type { Known, Target } from './adapters/installation.ts';
import { readBody } from './adapters/read-body.ts';
import { NotTaken, type RecordWriter } from './adapters/record-writer.ts';
import {
  type Answer,
  bulkAnswer,
  forKey,
  notKnownYet,
  refusal,
  SUCCESS,
  settingsAnswer,
  toPreflight,
} from './core/answers.ts';
import { type BrowserSdk, scriptAnswer } from './core/browser-sdk.ts';
import { decideRows } from './core/bulk.ts';
import { bulkRequestOf } from './core/bulk-request.ts';
import type { BytesInHand, Holding } from './core/bytes-in-hand.ts';
import { clientAddress } from './core/client-address.ts';
import { hintsOfHeaders } from './core/client-hints.ts';
import type { Knowledge } from './core/enrichment.ts';
import type { Decision, Envelope } from './core/event.ts';
import { allowsOrigin, forOrigin } from './core/origins.ts';
import { pixelData, toPixel } from './core/pixel.ts';
import { reachedAt } from './core/reached-at.ts';
import { NOT_KNOWN_YET, type Refusal } from './core/refusal.ts';
import { decideAll, type ParsedBody, parseBody } from './core/request.ts';
import { type EventType, type Route, routeOf } from './core/route.ts';
import { rudderSourceConfig, segmentSettings } from './core/sdk-settings.ts';
import type { Source } from './core/sources.ts';
import { decideWebhook } from './core/webhook-request.ts';
import { writeKeyOf } from './core/write-key.ts';
import type { CollectorMetrics } from './metrics.ts';

export interface Surroundings {
  /** Undefined as long as it is not known which sources there are. */
  readonly known: () => Known | undefined;
  readonly writer: Pick<RecordWriter, 'write'>;
  readonly hashing: Hashing;
  readonly generation: number;
  readonly mostBodyBytes: number;
  readonly inHand: BytesInHand;
  readonly rateLimits: RateLimits;
  readonly knowledge: Knowledge;
  readonly trustedProxies: number;
  readonly browserSdk: BrowserSdk;
  readonly metrics: CollectorMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A batch's context is stored with each of its events: what the events come to then, compared with the largest body. */
const MOST_GROWTH = 4;

/**
 * A request from its first byte to its answer: route, authenticate, read, decide on each event, encode, store, answer. Nothing is
 * acknowledged before Kafka has it.
 * @throws ClientGone
 */
export async function answer(request: IncomingMessage, around: Surroundings): Promise<Answer> {
  const { url = '/', method = 'GET', headers } = request;
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? undefined : url.slice(mark + 1);
  const route = routeOf(method, path);
  const known = around.known();
  if (!known) return notKnownYet;
  const { origin } = headers;
  const isAllowed = origin !== undefined && allowsOrigin(known.sources.origins, origin);
  if (route.to === 'preflight')
    return toPreflight(isAllowed ? origin : undefined, headers['access-control-request-headers']);
  const holding = around.inHand.open();
  const incoming: Incoming = { request, query, known, around, holding };
  const result = await respond(route, incoming).finally(() => holding.release());
  return isAllowed ? { ...result, headers: { ...forOrigin(origin), ...result.headers } } : result;
}

/** A request on its way, with what is known when it comes. */
interface Incoming {
  readonly request: IncomingMessage;
  readonly query: string | undefined;
  readonly known: Known;
  readonly around: Surroundings;
  /** The bytes of its body, until it is answered. */
  readonly holding: Holding;
}

type Asked = Exclude<Route, { to: 'preflight' }>;
type Call = Extract<Route, { to: 'event' | 'batch' }>;

async function respond(route: Asked, incoming: Incoming): Promise<Answer> {
  const { request, query, known, around } = incoming;
  switch (route.to) {
    case 'nowhere':
      return nothingHere;
    case 'method-not-allowed':
      return refusal({ status: 405, code: 'method_not_allowed', message: 'This path does not take this method' });
    case 'sdk-metrics':
      return SUCCESS;
    case 'settings':
      return forKey(known.sources, route.writeKey, (key) => segmentSettingsFor(key, request, around));
    case 'source-config':
      return forKey(known.sources, inQuery(query) ?? inHeaders(request), (key, source) =>
        settingsAnswer(rudderSourceConfig(key, source)),
      );
    case 'script':
      return forKey(known.sources, route.writeKey, () =>
        scriptAnswer(around.browserSdk.script, 'script', request.headers),
      );
    case 'script-part': {
      const part = around.browserSdk.parts.get(route.name);
      return part ? scriptAnswer(part, 'part', request.headers) : nothingHere;
    }
    case 'event':
    case 'batch':
      return answerTo(await collect(route, incoming));
    case 'bulk':
      return collectBulk(incoming);
    case 'webhook':
      return answerTo(await collectWebhook(incoming));
    case 'pixel':
      return toPixel((await collectPixel(route.type, incoming)) ?? SUCCESS);
  }
}

const answerTo = (refused: Refusal | undefined): Answer => (refused ? refusal(refused) : SUCCESS);

const nothingHere = refusal({ status: 404, code: 'not_found', message: 'There is nothing here' });

/** Where it would send to Segment's host it is told nothing, and sends nothing. */
function segmentSettingsFor(key: string, request: IncomingMessage, around: Surroundings): Answer {
  const { host, 'x-forwarded-proto': proto } = request.headers;
  const here = reachedAt(host, joined(proto), around.trustedProxies);
  return here
    ? settingsAnswer(segmentSettings(key, here))
    : refusal({ status: 400, code: 'invalid_http', message: 'The header Host names no host' });
}

/** @returns why nothing of it is taken; undefined: all of it is stored */
async function collect(route: Call, incoming: Incoming): Promise<Refusal | undefined> {
  const { request, query, around } = incoming;
  const keyInHeaders = inHeaders(request);
  // Whoever has no right to send is not read at all, where that can be told from the headers.
  const early = keyInHeaders === undefined ? undefined : sourceOf(keyInHeaders, incoming);
  if (early) {
    const refused = 'status' in early ? early : beyondRate(early, around);
    if (refused) return refused;
  }
  const receivedAt = around.now();
  const bytes = await bodyOf(incoming);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const body = parseBody(bytes);
  if ('status' in body) return body;
  const source = early ?? sourceOf(writeKeyOf({ body: body.json.writeKey, query: inQuery(query) }), incoming);
  if ('status' in source) return source;
  return store(route, body, source, receivedAt, isBrowser(request), incoming);
}

/** As `collect`, for a file of rows. Its answer tells of each row that is not accepted. */
async function collectBulk(incoming: Incoming): Promise<Answer> {
  const { request, query, known, around } = incoming;
  const source = sourceOf(inHeaders(request) ?? inQuery(query), incoming);
  if ('status' in source) return refusal(source);
  const asked = bulkRequestOf(query, request.headers['content-type']);
  if ('status' in asked) return refusal(asked);
  const early = beyondRate(source, around);
  if (early) return refusal(early);
  const receivedAt = around.now();
  const bytes = await bodyOf(incoming);
  if (!Buffer.isBuffer(bytes)) return refusal(bytes);
  // Others with the same key may have come in between; from here to `keep`, which takes from the rate, nobody can.
  const beyond = beyondRate(source, around);
  if (beyond) return refusal(beyond);
  const envelope = envelopeOf(source, receivedAt, known, around);
  const rows = decideRows(bytes, asked, MOST_GROWTH * around.mostBodyBytes, envelope);
  if (!Array.isArray(rows)) return refusal(rows);
  const decisions = rows.map(({ decision }) => decision);
  if (asked.dryRun) {
    take(source, decisions.length, around);
    return bulkAnswer(rows, true);
  }
  const refused = await keep(decisions, source, receivedAt, incoming);
  return refused ? refusal(refused) : bulkAnswer(rows, false);
}

/** As `collect`, for an event that is in the address itself. */
async function collectPixel(type: EventType, incoming: Incoming): Promise<Refusal | undefined> {
  const { request, query, around } = incoming;
  const data = pixelData(query);
  if (!data) return { status: 400, code: 'no_data', message: 'The address has no data' };
  const body = parseBody(data);
  if ('status' in body) return body;
  const key = inHeaders(request) ?? writeKeyOf({ body: body.json.writeKey, query: inQuery(query) });
  const source = sourceOf(key, incoming);
  if ('status' in source) return source;
  // An image is asked for by the program that the person reads with.
  return store({ to: 'event', type }, body, source, around.now(), true, incoming);
}

/** As `collect`, for what another system sends, of which the source's mapping makes events. */
async function collectWebhook(incoming: Incoming): Promise<Refusal | undefined> {
  const { request, query, known, around } = incoming;
  const source = sourceOf(inHeaders(request) ?? inQuery(query), incoming, true);
  if ('status' in source) return source;
  const refused = beyondRate(source, around);
  if (refused || !source.webhook) return refused;
  const receivedAt = around.now();
  const bytes = await bodyOf(incoming);
  if (!Buffer.isBuffer(bytes)) return bytes;
  // Others with the same key may have come in between; from here to `keep`, which takes from the rate, nobody can.
  const beyond = beyondRate(source, around);
  if (beyond) return beyond;
  const { headers } = request;
  const most = MOST_GROWTH * around.mostBodyBytes;
  const envelope = envelopeOf(source, receivedAt, known, around);
  const decided = decideWebhook(source.webhook, { bytes, headers, query }, most, envelope);
  if ('status' in decided) return decided;
  const unkept = await keep(decided.decisions, source, receivedAt, incoming);
  if (!unkept) around.metrics.unwanted(source.name, decided.unwanted);
  return unkept;
}

async function bodyOf({ request, around, holding }: Incoming): Promise<Buffer | Refusal> {
  const bytes = await readBody(request, around.mostBodyBytes, holding);
  if (!Buffer.isBuffer(bytes) && bytes.status === 503) around.metrics.unavailable(bytes.code);
  return bytes;
}

/** What holds for all events of a request of which nothing is known but its source. */
const envelopeOf = (
  source: Source,
  receivedAt: number,
  known: Known,
  around: Surroundings,
): Omit<Envelope, 'batchLevel' | 'batchContext'> => ({
  source: source.name,
  settings: source.settings,
  rules: known.sources.rules,
  definitions: source.met,
  receivedAt,
  sentAt: undefined,
  ip: null,
  client: undefined,
  knowledge: around.knowledge,
  gpc: false,
  generation: around.generation,
  hashing: around.hashing,
  newId: randomUUID,
});

/** Decides on each event, and has all of them stored, if the key has something left of its rate. */
async function store(
  route: Call,
  body: ParsedBody,
  source: Source,
  receivedAt: number,
  isFromClient: boolean,
  incoming: Incoming,
): Promise<Refusal | undefined> {
  const { request, known, around } = incoming;
  const refused = beyondRate(source, around);
  if (refused) return refused;
  const { headers } = request;
  const decisions = decideAll(route, body, MOST_GROWTH * around.mostBodyBytes, {
    ...envelopeOf(source, receivedAt, known, around),
    sentAt: body.json.sentAt ?? headers.sentat,
    ip: isFromClient ? addressOf(request, around.trustedProxies) : null,
    client: isFromClient ? { userAgent: headers['user-agent'], hints: hintsOfHeaders(headers) } : undefined,
    gpc: headers['sec-gpc'] === '1',
  });
  return Array.isArray(decisions) ? keep(decisions, source, receivedAt, incoming) : decisions;
}

/** Has all events of a request stored. */
async function keep(
  decisions: readonly Decision[],
  source: Source,
  receivedAt: number,
  { known, around }: Incoming,
): Promise<Refusal | undefined> {
  take(source, decisions.length, around);
  const records = decisions
    .filter((decision) => decision.outcome !== 'dropped')
    .flatMap((decision) => encode(decision, receivedAt, known));
  try {
    if (records.length > 0) await around.writer.write(records);
  } catch (error) {
    if (!(error instanceof NotTaken)) throw error;
    const { code, message } = error;
    if (code === 'too_large') return { status: 413, code, message };
    around.metrics.unavailable(code);
    return { status: 503, code, message };
  }
  around.metrics.acknowledged(source.name, decisions);
  return undefined;
}

type Kept = Exclude<Decision, { outcome: 'dropped' }>;

function encode(decision: Kept, timestamp: number, { collected, rejected }: Known): OutRecord[] {
  if (decision.outcome === 'rejected') return [recordOf(rejected, decision.key, decision.value, timestamp)];
  const { key, value, account } = decision;
  const records = [recordOf(collected, key, value, timestamp)];
  if (account) records.push(recordOf(collected, account.identifiers[0]?.hash ?? key, account, timestamp));
  return records;
}

function recordOf<V>(target: Target<V>, key: string, value: V, timestamp: number): OutRecord {
  const { topic, partitions } = target;
  return { topic, partition: partitionOf(key, partitions), key, value: target.encode(value), timestamp };
}

/** The source of a write key, if it may be used from here. */
function sourceOf(
  key: string | undefined,
  { request, known: { sources }, around }: Incoming,
  forWebhook = false,
): Source | Refusal {
  const { origin } = request.headers;
  const source = key === undefined ? undefined : sources.find(key);
  if (!source) {
    // As long as there is no source at all, the definitions are rather not there yet than the key wrong.
    if (sources.empty) return NOT_KNOWN_YET;
    const message = key === undefined ? 'The request has no write key' : 'No source has this write key';
    return { status: 401, code: 'unknown_write_key', message };
  }
  if (!source.enabled) return { status: 403, code: 'disabled', message: 'The source or its write key is disabled' };
  // A key that stands in another system's settings opens nothing else, so that no signature can be gone around.
  if ((source.webhook !== undefined) !== forWebhook)
    return {
      status: 403,
      code: 'wrong_endpoint',
      message: forWebhook ? 'The source takes no webhooks' : 'The source takes webhooks only, at /v1/webhook',
    };
  if (origin !== undefined && !allowsOrigin(source.settings.allowedOrigins, origin))
    return { status: 403, code: 'origin_not_allowed', message: 'The source does not allow this origin' };
  if (!source.allowsAddress(addressOf(request, around.trustedProxies)))
    return { status: 403, code: 'address_not_allowed', message: 'The source does not allow this address' };
  return source;
}

const limitOf = ({ rateLimit }: Source['settings']): RateLimit | undefined =>
  rateLimit && { perSecond: rateLimit.eventsPerSecond, burst: rateLimit.burst };

function beyondRate({ settings, keyDigest }: Source, around: Surroundings): Refusal | undefined {
  const limit = limitOf(settings);
  const retryAfter = limit ? around.rateLimits.wait(keyDigest, limit, around.now()) : 0;
  if (retryAfter === 0) return undefined;
  around.metrics.unavailable('rate_limited');
  return { status: 429, code: 'rate_limited', message: 'The write key has used up its rate', retryAfter };
}

/** A request of no events costs as much as one of one. */
function take({ settings, keyDigest }: Source, events: number, around: Surroundings): void {
  const limit = limitOf(settings);
  if (limit) around.rateLimits.take(keyDigest, limit, Math.max(events, 1), around.now());
}

const inHeaders = ({ headers }: IncomingMessage): string | undefined => {
  const header = headers['x-write-key'];
  return writeKeyOf({ authorization: headers.authorization, header: Array.isArray(header) ? header[0] : header });
};

const inQuery = (query: string | undefined): string | undefined =>
  (query && new URLSearchParams(query).get('writeKey')) || undefined;

/** Servers send for others: their own address says nothing about who it is. */
const isBrowser = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined || headers.referer !== undefined;

const addressOf = ({ socket, headers }: IncomingMessage, proxies: number): string | null =>
  clientAddress(socket.remoteAddress, joined(headers['x-forwarded-for']), proxies);

/** A header that may be there more than once. */
const joined = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header;
