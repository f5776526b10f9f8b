/**
 * The load generator, a process of its own: `node test/bench/load.ts CONFIG` (JSON, see `LoadOptions`). Plain sockets, one request
 * at a time on each. Prints a line of JSON when it begins to measure, when it ends, and when all is answered, with its report.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { People } from './people.ts';
import { quantile } from './quantile.ts';
import { QuestionWriter, RequestWriter } from './requests.ts';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Events in a request. */
  readonly batch: number;
  /** Makes message ids unique. */
  readonly name: string;
  readonly firstPerson: number;
  /** Answered before measuring begins, seconds. */
  readonly warmUpSeconds: number;
  /** How long to measure, or how many events. */
  readonly seconds?: number;
  readonly events?: number;
  /** Events a second, whatever the answers do; else each connection asks again as soon as it is answered. */
  readonly rate?: number;
  /** Report when each event was answered. */
  readonly log?: boolean;
  /** Instead of events: asks the read API for any of so many people. */
  readonly reads?: { readonly token: string; readonly people: number };
}

export interface LoadReport {
  /** While measuring. */
  readonly requests: number;
  readonly seconds: number;
  /** From the request, or from when it was due, to the answer. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Of this process while measuring, microseconds. */
  readonly cpu: number;
  /** In all, with the warm-up: events answered with 200, and requests answered otherwise. */
  readonly accepted: number;
  readonly refused: number;
  /** Message ids and when they were answered, by the machine's monotonic clock, milliseconds. */
  readonly answered?: readonly (readonly [messageId: string, at: number])[];
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const writer = options.reads
  ? new QuestionWriter(options.reads)
  : new RequestWriter(new People(options.firstPerson), options.batch, options.name);
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const latencies: number[] = [];
const answered: [string, number][] = [];
let accepted = 0;
let refused = 0;
let measuring = false;
let stopped = false;

/** One connection: asks, and waits for the answer. */
class Connection {
  readonly #socket: Socket;
  #received = '';
  #answered: (status: string) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('close', () => {
      if (stopped) return;
      process.stderr.write('load: the connection was closed\n');
      process.exit(1);
    });
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Connection(socket);
  }

  ask(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(text, 'latin1');
    });
  }

  close(): void {
    this.#socket.end();
  }

  #take(chunk: string): void {
    this.#received = this.#received === '' ? chunk : this.#received + chunk;
    const head = this.#received.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < head + 4 + length) return;
    const status = this.#received.slice(9, 12);
    this.#received = '';
    this.#answered(status);
  }
}

async function request(connection: Connection, due: number): Promise<void> {
  const { text, messageIds } = writer.next();
  const status = await connection.ask(text);
  const at = now();
  if (status !== '200') refused++;
  else {
    accepted += messageIds.length;
    if (options.log && measuring) for (const id of messageIds) answered.push([id, at]);
  }
  if (measuring) latencies.push(at - due);
}

const connections = await Promise.all(Array.from({ length: options.connections }, () => Connection.open(options.port)));

async function closedLoop(connection: Connection): Promise<void> {
  while (!stopped) {
    await request(connection, now());
    if (options.events !== undefined && accepted >= options.events) stopped = true;
  }
}

/** Sends what is due, on whatever connection is free; what finds none waits, and its waiting counts. */
async function openLoop(perSecond: number): Promise<void> {
  const free = [...connections];
  const due: number[] = [];
  const began = now();
  let scheduled = 0;
  const serve = (): void => {
    while (due.length > 0 && free.length > 0) {
      // In turn, so that none lies idle until the server closes it.
      const connection = free.shift() as Connection;
      void request(connection, due.shift() as number).then(() => {
        free.push(connection);
        serve();
      });
    }
  };
  while (!stopped) {
    const until = ((now() - began) / 1_000) * perSecond;
    while (scheduled < until) due.push(began + (scheduled++ / perSecond) * 1_000);
    serve();
    await sleep(1);
  }
  while (free.length < connections.length) await sleep(5);
}

const load = options.rate
  ? openLoop(options.rate / options.batch)
  : Promise.all(connections.map((connection) => closedLoop(connection)));
await sleep(options.warmUpSeconds * 1_000);
measuring = true;
tell({ at: 'begin' });
const began = now();
const cpu = process.cpuUsage();
if (options.seconds !== undefined) await Promise.race([sleep(options.seconds * 1_000), load]);
else await load;
measuring = false;
const seconds = (now() - began) / 1_000;
const { user, system } = process.cpuUsage(cpu);
tell({ at: 'end' });
stopped = true;
await load;
for (const connection of connections) connection.close();
latencies.sort((a, b) => a - b);
const report: LoadReport = {
  requests: latencies.length,
  seconds,
  p50: quantile(latencies, 0.5),
  p95: quantile(latencies, 0.95),
  p99: quantile(latencies, 0.99),
  cpu: user + system,
  accepted,
  refused,
  ...(options.log ? { answered } : {}),
};
tell({ at: 'done', report });
