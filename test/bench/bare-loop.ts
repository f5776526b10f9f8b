/**
 * What the collector is measured against: nothing but `node:http`, `JSON.parse` and kafkajs, as it comes or mended, with acks=all.
 * While one send is under way the next one gathers. A record is the event's text, padded to the size of the collector's record.
 * `node test/bench/bare-loop.ts CONFIG` prints READY and the port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BareLoopOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly recordBytes: number;
  /** With what this project mends in kafkajs; some of it saves CPU. */
  readonly mended: boolean;
}

const options = JSON.parse(process.argv[2] ?? '{}') as BareLoopOptions;
if (options.mended) await import('#shared/kafka/mended-kafkajs.ts');
const { default: kafkajs } = await import('kafkajs');
const kafka = new kafkajs.Kafka({
  clientId: 'bare-loop',
  brokers: options.brokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
});
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();

interface Event {
  readonly anonymousId: string;
}
interface Message {
  readonly key: string;
  readonly value: string;
}
let messages: Message[] = [];
let waiting: (() => void)[] = [];
let sending = false;

async function send(): Promise<void> {
  if (sending) return;
  sending = true;
  while (messages.length > 0) {
    const [batch, answers] = [messages, waiting];
    messages = [];
    waiting = [];
    // More of these in one send could be more than the megabyte that Kafka takes for a partition.
    for (let at = 0; at < batch.length; at += 2_000)
      await producer.send({ topic: options.topic, acks: -1, messages: batch.slice(at, at + 2_000) });
    for (const answer of answers) answer();
  }
  sending = false;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = String(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    const body = JSON.parse(text) as Event & { readonly batch?: readonly Event[] };
    const put = (event: Event, value: string): void =>
      void messages.push({ key: event.anonymousId, value: value.padEnd(options.recordBytes) });
    if (body.batch) for (const event of body.batch) put(event, JSON.stringify(event));
    else put(body, text);
    waiting.push(() =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 16 }).end('{"success":true}'),
    );
    void send();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`READY ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
  void producer.disconnect().then(() => process.exit(0));
});
