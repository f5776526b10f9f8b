import type { People, Step } from './people.ts';

const ORIGIN = 'http://localhost:3000';
const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
];
const userAgentOf = (person: number): string => userAgents[person % userAgents.length] as string;

/** What Segment's browser SDK says of where it is (`test/data/captures.ndjson`), but for the campaign, which is left to the collector. */
const contextOf = (person: number): string => {
  const search = `?utm_source=newsletter&utm_medium=email&utm_campaign=week-${person % 52}`;
  return `"context":{"page":{"path":"/p/4711","referrer":"https://shop.example.com/","search":"${search}","title":"A product","url":"https://shop.example.com/p/4711${search}"},"userAgent":"${userAgentOf(person)}","locale":"en-GB","library":{"name":"analytics.js","version":"npm:next-1.84.3"},"timezone":"Europe/London"}`;
};
const paths = { page: '/v1/page', track: '/v1/track', identify: '/v1/identify', order: '/v1/track' } as const;

/** One event as Segment's browser SDK sends it: some 1,000 bytes, ASCII. */
function textOf({ person, device, kind, known }: Step, messageId: string, time: string): string {
  const who = `"anonymousId":"anon-${person}-${device}"${known ? `,"userId":"user-${person}"` : ''}`;
  const head = `{"timestamp":"${time}","integrations":{"Segment.io":true},"messageId":"${messageId}",${who},${contextOf(person)},"writeKey":"local-web","sentAt":"${time}","_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]},`;
  switch (kind) {
    case 'page':
      return `${head}"type":"page","name":"Product","properties":{"path":"/p/4711","url":"https://shop.example.com/p/4711","title":"A product"}}`;
    case 'track':
      return `${head}"type":"track","event":"Product Viewed","properties":{"product_id":"4711","sku":"A-${person % 100}","price":19.9,"currency":"EUR"}}`;
    case 'identify':
      return `${head}"type":"identify","traits":{"email":"p${person}@shop.example.com","firstName":"Ada","plan":"pro","logins":12,"address":{"city":"London"}}}`;
    case 'order':
      return `${head}"type":"track","event":"Order Completed","properties":{"order_id":"${messageId}","revenue":77.5,"currency":"EUR","products":[{"sku":"A-1","price":19.9,"quantity":2}]}}`;
  }
}

export interface WrittenRequest {
  /** The whole request, head and body. */
  readonly text: string;
  readonly messageIds: readonly string[];
}

/** Writes requests of `batch` events each; of one event, to the path of its type. Message ids are never used again. */
export class RequestWriter {
  readonly #people: People;
  readonly #batch: number;
  readonly #name: string;
  #count = 0;

  constructor(people: People, batch: number, name: string) {
    this.#people = people;
    this.#batch = batch;
    this.#name = name;
  }

  next(): WrittenRequest {
    const time = new Date().toISOString();
    const messageIds: string[] = [];
    const event = (step: Step): string => {
      const messageId = `bench-${this.#name}-${String(++this.#count).padStart(9, '0')}`;
      messageIds.push(messageId);
      return textOf(step, messageId, time);
    };
    if (this.#batch === 1) {
      const step = this.#people.next();
      return { text: post(paths[step.kind], event(step), step.person), messageIds };
    }
    const events = Array.from({ length: this.#batch }, () => event(this.#people.next()));
    const body = `{"batch":[${events.join(',')}],"sentAt":"${time}","writeKey":"local-web"}`;
    return { text: post('/v1/batch', body, this.#count), messageIds };
  }
}

/** Writes questions to the read API. */
export class QuestionWriter {
  readonly #people: number;
  readonly #token: string;
  #random = 1;

  constructor({ people, token }: { readonly people: number; readonly token: string }) {
    this.#people = people;
    this.#token = token;
  }

  next(): WrittenRequest {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    const person = Math.floor((this.#random / 0x1_0000_0000) * this.#people);
    const text = `GET /v1/profiles/user_id:user-${person} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${this.#token}\r\naccept: application/json\r\n\r\n`;
    return { text, messageIds: [] };
  }
}

const AUTHORIZATION = `Basic ${Buffer.from('local-web:').toString('base64')}`;
/** The headers of a browser. */
const post = (path: string, body: string, person: number): string =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: keep-alive\r\ncontent-length: ${body.length}\r\nuser-agent: ${userAgentOf(person)}\r\nauthorization: ${AUTHORIZATION}\r\ncontent-type: text/plain\r\naccept: */*\r\norigin: ${ORIGIN}\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: cors\r\nsec-fetch-dest: empty\r\nreferer: ${ORIGIN}/\r\naccept-encoding: gzip, deflate, br, zstd\r\naccept-language: en-GB,en;q=0.9\r\n\r\n${body}`;
