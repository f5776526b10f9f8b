import { deflateSync, gzipSync } from 'node:zlib';
import { between, oneOf, seededRandom } from '../../deploy/local/sample/random.ts';
import { People, type Step } from '../bench/people.ts';

/** The sources that mixed requests are sent to. */
export const mixedSources = {
  books: {
    writeKeys: [{ key: 'books-key' }, { key: 'books-old-key', enabled: false }],
    allowedOrigins: ['https://shop.example'],
    enrich: { bots: 'drop' },
  },
  'books-slow': { writeKeys: [{ key: 'books-slow-key' }], rateLimit: { eventsPerSecond: 0.1, burst: 1 } },
} as const;

/** A request, and what must become of it. */
export interface MixedRequest {
  readonly method: 'POST' | 'GET';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly status: number;
  /** By what becomes of them: how many of its events. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Revenue of those that count. */
  readonly cents: number;
}

const basic = (key: string): Record<string, string> => ({ authorization: `Basic ${btoa(`${key}:`)}` });
const withKey = basic('books-key');
const page = '"context":{"page":{"path":"/p/4711","url":"https://shop.example/p/4711"},"locale":"en-GB"}';

/** What is sent, so often in each 4,000 events: 5 % of it bad, half of that refused at the door. */
const PERIOD = 4_000;

/** In a batch of others: what becomes of them is told, and the rest is taken. */
const unstitched: Readonly<Record<string, readonly [times: number, outcome: string, text: (id: string) => string]>> = {
  nameless: [10, 'rejected by collector: invalid_event', (id) => `{"type":"track","userId":"odd","messageId":"${id}"}`],
  typeless: [
    10,
    'rejected by collector: invalid_event',
    (id) => `{"type":"purchase","userId":"odd","messageId":"${id}"}`,
  ],
  shapeless: [
    10,
    'rejected by collector: invalid_event',
    (id) => `{"type":"page","userId":"odd","messageId":"${id}","properties":[1]}`,
  ],
  'not an object': [10, 'rejected by collector: invalid_event', (id) => `["${id}"]`],
  'of nobody': [20, 'rejected by collector: no_identifier', (id) => `{"type":"track","event":"E","messageId":"${id}"}`],
  'of null': [
    15,
    'rejected by collector: no_identifier',
    (id) => `{"type":"page","userId":"null","anonymousId":"0","messageId":"${id}"}`,
  ],
  deep: [
    24,
    'rejected by collector: too_deep',
    (id) => `{"type":"page","userId":"odd","messageId":"${id}","properties":${'{"a":'.repeat(101)}1${'}'.repeat(101)}}`,
  ],
  'of a robot': [
    20,
    'dropped by collector: bot',
    (id) => `{"type":"page","userId":"odd","messageId":"${id}","context":{"userAgent":"Googlebot/2.1"}}`,
  ],
  large: [
    1,
    'rejected by collector: too_large',
    (id) => `{"type":"page","userId":"odd","messageId":"${id}","properties":{"text":"${'x'.repeat(500_000)}"}}`,
  ],
};

type Refused = Partial<Pick<MixedRequest, 'method' | 'path' | 'headers' | 'body'>>;
/** Of each the whole request is refused, and nobody is told of it but the sender. */
const refused: Readonly<Record<string, readonly [times: number, status: number, make: (event: string) => Refused]>> = {
  'cut off': [12, 400, (event) => ({ body: event.slice(0, -1) })],
  'in Latin 1': [12, 400, () => ({ body: Buffer.from('{"event":"caf\xe9","userId":"odd"}', 'latin1') })],
  'half a gzip': [
    10,
    400,
    (event) => ({ headers: { ...withKey, 'content-encoding': 'gzip' }, body: gzipSync(event).subarray(0, 30) }),
  ],
  'no batch': [6, 400, (event) => ({ path: '/v1/batch', body: `{"batch":${event}}` })],
  'a wrong key': [15, 401, () => ({ headers: basic('wrong') })],
  'no key': [5, 401, () => ({ headers: {} })],
  'an old key': [10, 403, () => ({ headers: basic('books-old-key') })],
  'another site': [8, 403, () => ({ headers: { ...withKey, origin: 'https://other.example' } })],
  'nowhere to go': [5, 404, () => ({ path: '/v2/track' })],
  'asked for, not sent': [3, 405, () => ({ method: 'GET', body: undefined })],
  'too large by itself': [1, 413, () => ({ body: `{"userId":"odd","event":"${'x'.repeat(600_000)}"}` })],
  'a body that is too large': [1, 413, () => ({ body: `{"userId":"odd","event":"${'x'.repeat(5_000_000)}"}` })],
  'an encoding of tomorrow': [7, 415, () => ({ headers: { ...withKey, 'content-encoding': 'zstd' } })],
  'beyond the rate': [5, 429, () => ({ headers: basic('books-slow-key') })],
};
const DUPLICATES = 120;

/** Uses up the rate of the slow source for half an hour; to be answered before the others are sent. */
export const beforeMixed = (run: string): MixedRequest => {
  const batch = Array.from({ length: 200 }, (_, n) =>
    textOf({ person: 1 + n, device: 0, kind: 'page', known: false }, `${run}-slow-${n}`, 0),
  );
  return {
    method: 'POST',
    path: '/v1/batch',
    headers: basic('books-slow-key'),
    body: `{"batch":[${batch.join(',')}]}`,
    status: 200,
    outcomes: { stitched: batch.length },
    cents: 0,
  };
};

/**
 * So many events of visitors, in requests of one to fifty: good ones, some of them twice, and bad ones of every kind.
 * @param run starts each message id, and keeps people and ids of one run apart from another's
 */
export function* mixedRequests(count: number, run: string, seed = 1): Generator<MixedRequest> {
  const random = seededRandom(seed);
  const people = new People(1, seed);
  const kinds = kindsOf(random);
  const earlier: string[] = [];
  let batch: string[] = [];
  let outcomes: Record<string, number> = {};
  let cents = 0;
  let size = 1;
  for (let n = 0; n < count; n++) {
    const id = `${run}-${n}`;
    const kind = kinds[n % PERIOD] as string;
    const bad = unstitched[kind];
    const denied = refused[kind];
    if (denied) {
      const [, status, make] = denied;
      const event = textOf(people.next(), id, 0);
      yield {
        ...{ method: 'POST', path: '/v1/track', headers: withKey, body: event, ...make(event) },
        status,
        outcomes: { [`refused with ${status}`]: 1 },
        cents: 0,
      };
      continue;
    }
    let outcome = 'stitched';
    let text = '';
    if (bad) {
      outcome = bad[1];
      text = bad[2](id);
    } else if (kind === 'again' && earlier.length > 0) {
      outcome = 'duplicate';
      text = oneOf(random, earlier);
    } else {
      const step = people.next();
      const amount = between(random, 1, 99_999);
      text = textOf(step, id, amount);
      if (step.kind === 'order') cents += amount;
      // Of what was sent at once, and of what was sent long ago.
      if (earlier.length < 10_000) earlier.push(text);
      else earlier[between(random, 0, earlier.length - 1)] = text;
    }
    batch.push(text);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (batch.length < size && n < count - 1) continue;
    yield { ...requestOf(batch, random() < 0.3), outcomes, cents };
    batch = [];
    outcomes = {};
    cents = 0;
    size = random() < 0.1 ? 1 : between(random, 2, 50);
  }
  if (batch.length > 0) yield { ...requestOf(batch, false), outcomes, cents };
}

/** What each event of a period is, in a random order. */
function kindsOf(random: () => number): string[] {
  const kinds = Array<string>(DUPLICATES).fill('again');
  for (const [kind, [times]] of [...Object.entries(unstitched), ...Object.entries(refused)])
    kinds.push(...Array<string>(times).fill(kind));
  while (kinds.length < PERIOD) kinds.push('good');
  return kinds
    .map((kind) => ({ kind, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ kind }) => kind);
}

function requestOf(batch: readonly string[], packed: boolean) {
  const text = `{"sentAt":"${new Date().toISOString()}","batch":[${batch.join(',')}]}`;
  return {
    method: 'POST',
    path: '/v1/batch',
    headers: packed ? { ...withKey, 'content-encoding': batch.length % 2 === 0 ? 'gzip' : 'deflate' } : withKey,
    body: packed ? (batch.length % 2 === 0 ? gzipSync(text) : deflateSync(text)) : text,
    status: 200,
  } as const;
}

function textOf({ person, device, kind, known }: Step, id: string, cents: number): string {
  const user = known ? `"userId":"${id.split('-', 1)[0]}-${person}",` : '';
  const head = `{"messageId":"${id}","anonymousId":"${id.split('-', 1)[0]}-${person}-${device}",${user}${page},`;
  switch (kind) {
    case 'page':
      return `${head}"type":"page","name":"Product","properties":{"path":"/p/4711"}}`;
    case 'track':
      return `${head}"type":"track","event":"Product Viewed","properties":{"sku":"A-${person % 100}"}}`;
    case 'identify':
      return `${head}"type":"identify","traits":{"email":"p${person}@${id.split('-', 1)[0]}.example","plan":"pro"}}`;
    case 'order':
      return `${head}"type":"track","event":"Order Completed","properties":{"revenue":${(cents / 100).toFixed(2)},"currency":"EUR"}}`;
  }
}
