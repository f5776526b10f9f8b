import type { People, Step } from './people.ts';

const AUTHORIZATION = `Basic ${Buffer.from('local-server:').toString('base64')}`;
const CONTEXT =
  '"context":{"library":{"name":"analytics.js","version":"npm:next-1.70.0"},"page":{"path":"/p/4711","url":"https://shop.example/p/4711","title":"A product","referrer":"https://shop.example/"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36","locale":"en-GB"}';
const paths = { page: '/v1/page', track: '/v1/track', identify: '/v1/identify', order: '/v1/track' } as const;

/** One event as an SDK sends it: some 600 bytes, ASCII. */
function textOf({ person, device, kind, known }: Step, messageId: string, time: string): string {
  const who = `"anonymousId":"anon-${person}-${device}"${known ? `,"userId":"user-${person}"` : ''}`;
  const head = `{"messageId":"${messageId}","timestamp":"${time}","originalTimestamp":"${time}",${who},${CONTEXT},`;
  switch (kind) {
    case 'page':
      return `${head}"type":"page","name":"Product","properties":{"path":"/p/4711","url":"https://shop.example/p/4711","title":"A product"}}`;
    case 'track':
      return `${head}"type":"track","event":"Product Viewed","properties":{"product_id":"4711","sku":"A-${person % 100}","price":19.9,"currency":"EUR"}}`;
    case 'identify':
      return `${head}"type":"identify","traits":{"email":"p${person}@shop.example","firstName":"Ada","plan":"pro","logins":12,"address":{"city":"London"}}}`;
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
      return { text: post(paths[step.kind], event(step)), messageIds };
    }
    const events = Array.from({ length: this.#batch }, () => event(this.#people.next()));
    return { text: post('/v1/batch', `{"batch":[${events.join(',')}],"sentAt":"${time}"}`), messageIds };
  }
}

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${AUTHORIZATION}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
