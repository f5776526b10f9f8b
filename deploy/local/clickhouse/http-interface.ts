import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Transform, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import type { Block, Connection, Engine } from './engine.ts';
import { ClickHouseException } from './exception.ts';
import { canStream, contentType } from './formats.ts';
import {
  askBefore,
  type ClickHouseRequest,
  parametersIn,
  readRequest,
  statementsFor,
  undoing,
  type Wishes,
  wishesOf,
} from './request.ts';
import { Semaphore } from './semaphore.ts';
import { readStatement, type Statement } from './statement.ts';

export interface HttpInterfaceOptions {
  readonly user: string;
  readonly password: string;
  /** Largest request, decompressed, bytes. */
  readonly maxRequestBytes: number;
  /** Largest result that must be held whole (formats that cannot be streamed, `wait_end_of_query`), bytes. */
  readonly maxResultBytes: number;
  readonly concurrentQueries: number;
  readonly waitingQueries: number;
  /** Settings of every query that the request does not set itself. */
  readonly defaults: Readonly<Record<string, string>>;
}

interface Session {
  readonly connection: Connection;
  lastUsed: number;
  seconds: number;
  busy: boolean;
  /** To be run before anything else: sets the connection back from what the last request wished for itself alone. */
  undo: readonly string[];
  /** Parameters that an earlier request has set for itself alone, and that the connection still has. */
  readonly leftParameters: Set<string>;
}

/** What the engine answers block by block. It refuses this for the others, whose answers are short. */
const streamed = new Set(['SELECT', 'WITH', 'FROM', '(']);
const answered = new Set([...streamed, 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN']);
/** ClickHouse's max_query_size: how far into a request a statement is looked for. */
const longestStatement = 256 * 1024;

/** ClickHouse's HTTP interface over an embedded engine. */
export class HttpInterface {
  readonly #engine: Engine;
  readonly #options: HttpInterfaceOptions;
  readonly #places: Semaphore;
  readonly #sessions = new Map<string, Session>();
  readonly #sweep: NodeJS.Timeout;

  constructor(engine: Engine, options: HttpInterfaceOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#places = new Semaphore(options.concurrentQueries, options.waitingQueries);
    this.#sweep = setInterval(() => this.#forgetSessions(performance.now()), 1_000).unref();
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    // A client that is gone is noticed by the writes below; nobody else needs to hear of it.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.setHeader('X-ClickHouse-Server-Display-Name', 'tributary');
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (url.pathname === '/ping' || url.pathname === '/replicas_status') return sayOk(response);
      if (url.pathname !== '/') {
        response.writeHead(404).end(`There is no handle ${url.pathname}\n`);
        return;
      }
      if (request.method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
      const asked = readRequest(url, request.headers);
      const queryId = asked.queryId ?? randomUUID();
      response.setHeader('X-ClickHouse-Query-Id', queryId);
      if (request.method !== 'POST' && asked.query === undefined) return sayOk(response);
      this.#authenticate(asked);
      const body = request.method === 'POST' ? await this.#readBody(request) : Buffer.alloc(0);
      await this.#withPlace(() => this.#answer(asked, body, request, response, began));
    } catch (error) {
      fail(response, ClickHouseException.from(error));
      // Whatever of the request is still on its way is not wanted.
      if (!request.complete) request.destroy();
    }
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const { connection } of this.#sessions.values()) connection.close();
    this.#sessions.clear();
  }

  #authenticate({ user, password }: ClickHouseRequest): void {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    const same = timingSafeEqual(digest(password), digest(this.#options.password));
    if (user === this.#options.user && same) return;
    const message = `${user}: Authentication failed: password is incorrect, or there is no user with such name.`;
    throw ClickHouseException.of(516, 'AUTHENTICATION_FAILED', message);
  }

  async #readBody(request: IncomingMessage): Promise<Buffer> {
    const encoding = request.headers['content-encoding'];
    const plain = encoding === undefined || encoding === 'identity' ? request : unpacked(request, encoding);
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of plain as Readable) {
        size += (part as Buffer).length;
        if (size > this.#options.maxRequestBytes) {
          const message = `Request is larger than ${this.#options.maxRequestBytes} bytes; send it in parts`;
          throw ClickHouseException.of(307, 'TOO_MANY_BYTES', message, 413);
        }
        parts.push(part as Buffer);
      }
    } catch (error) {
      if (error instanceof ClickHouseException) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw ClickHouseException.of(117, 'INCORRECT_DATA', `Cannot read the request's body: ${why}`);
    }
    return Buffer.concat(parts);
  }

  async #withPlace(work: () => Promise<void>): Promise<void> {
    if (!(await this.#places.enter())) {
      const message = `Too many simultaneous queries. Maximum: ${this.#options.concurrentQueries}, waiting: ${this.#options.waitingQueries}`;
      throw ClickHouseException.of(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', message);
    }
    try {
      await work();
    } finally {
      this.#places.leave();
    }
  }

  async #answer(
    asked: ClickHouseRequest,
    body: Buffer,
    request: IncomingMessage,
    response: ServerResponse,
    began: number,
  ): Promise<void> {
    const whole =
      asked.query === undefined ? body : body.length === 0 ? Buffer.from(asked.query) : join(asked.query, body);
    const statement = readStatement(whole.toString('latin1', 0, longestStatement));
    refuseWhatIsNotSupported(statement);
    const format = statement.format ?? asked.format ?? 'TabSeparated';
    const isResult = answered.has(statement.verb);
    const isStreamed = streamed.has(statement.verb) && canStream(format) && !asked.waitForEnd;
    const { connection, session, release } = this.#connectionFor(asked);
    try {
      const wishes = wishesOf(asked, request.method ?? 'GET', {
        ...(session ? {} : this.#options.defaults),
        ...(isResult && !isStreamed ? { max_result_bytes: String(this.#options.maxResultBytes) } : {}),
      });
      if (session) await settle(session, wishes, statement);
      for (const sql of statementsFor(wishes)) await connection.run(sql, 'Null');
      if (statement.data) {
        const { start, complete } = statement.data;
        const prefix = whole.toString('utf8', 0, start).trimEnd() + complete;
        const data = whole.subarray(start);
        const written = data.length === 0 ? { rows: 0, bytes: 0 } : await connection.insert(prefix, data);
        sendSummary(response, began, { written });
        response.writeHead(200, { 'Content-Type': contentType('TSV') }).end();
        return;
      }
      const output = new Output(response, format, asked.compress ? request.headers['accept-encoding'] : undefined);
      const sql = whole.toString('utf8');
      if (isStreamed) await output.stream(connection.stream(sql, format), began);
      else {
        const result = await connection.run(sql, format);
        await output.send(result.bytes, began, result.rows, result.readBytes);
      }
    } finally {
      release();
    }
  }

  #connectionFor({ session: wanted }: ClickHouseRequest): {
    connection: Connection;
    session?: Session;
    release: () => void;
  } {
    if (wanted === undefined) {
      const connection = this.#engine.connect();
      return { connection, release: () => connection.close() };
    }
    let session = this.#sessions.get(wanted.id);
    if (session?.busy)
      throw ClickHouseException.of(373, 'SESSION_IS_LOCKED', `Session ${wanted.id} is locked by a concurrent client`);
    if (!session) {
      if (wanted.mustExist) throw ClickHouseException.of(372, 'SESSION_NOT_FOUND', `Session ${wanted.id} not found`);
      const undo = statementsFor({ database: undefined, settings: new Map(Object.entries(this.#options.defaults)) });
      const connection = this.#engine.connect();
      session = { connection, lastUsed: 0, seconds: 0, busy: false, undo, leftParameters: new Set() };
      this.#sessions.set(wanted.id, session);
    }
    const taken = session;
    taken.busy = true;
    taken.seconds = wanted.seconds;
    const release = () => {
      taken.busy = false;
      taken.lastUsed = performance.now();
    };
    return { connection: taken.connection, session: taken, release };
  }

  #forgetSessions(now: number): void {
    for (const [id, session] of this.#sessions) {
      if (session.busy || now - session.lastUsed < session.seconds * 1_000) continue;
      session.connection.close();
      this.#sessions.delete(id);
    }
  }
}

/** Makes a session as its statements have left it, and remembers what a request with these wishes will change in it. */
async function settle(session: Session, wishes: Wishes, statement: Statement): Promise<void> {
  const { connection, leftParameters } = session;
  for (const sql of session.undo) await connection.run(sql, 'Null');
  session.undo = [];
  const given = new Set(parametersIn(wishes));
  const missing = [...statement.parameters].find((name) => leftParameters.has(name) && !given.has(name));
  if (missing !== undefined)
    throw ClickHouseException.of(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${missing}\` is not set.`);
  for (const name of given) leftParameters.add(name);
  if (wishes.settings.size === 0 && !wishes.database) return;
  const before = await connection.run(askBefore(wishes), 'JSONEachRow');
  const undo = undoing(Buffer.from(before.bytes).toString('utf8'));
  // What the statement itself sets, stays.
  session.undo = statement.verb === 'USE' ? undo.filter((sql) => !sql.startsWith('USE ')) : undo;
}

function sayOk(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n');
}

const join = (query: string, body: Buffer): Buffer => Buffer.concat([Buffer.from(query), Buffer.from('\n'), body]);

function refuseWhatIsNotSupported(statement: Statement): void {
  if (statement.verb === '') throw ClickHouseException.of(62, 'SYNTAX_ERROR', 'Empty query');
  if (statement.second !== undefined) {
    const message = `Syntax error (Multi-statements are not allowed): failed at position ${statement.second}`;
    throw ClickHouseException.of(62, 'SYNTAX_ERROR', message);
  }
  if (statement.intoOutfile)
    throw ClickHouseException.of(48, 'NOT_IMPLEMENTED', 'INTO OUTFILE is not allowed over HTTP');
  if (statement.readsInput)
    throw ClickHouseException.of(
      48,
      'NOT_IMPLEMENTED',
      'The function input() is not supported by the embedded ClickHouse',
    );
}

function unpacked(request: IncomingMessage, encoding: string): Readable {
  const target = decompressor(encoding);
  // A pipe passes no failure on: who reads would wait for a client that is gone.
  request.once('close', () => {
    if (!request.complete) target.destroy(new Error('the client has broken off'));
  });
  return request.pipe(target);
}

function decompressor(encoding: string): zlib.Gunzip | zlib.BrotliDecompress | zlib.ZstdDecompress {
  if (encoding === 'gzip' || encoding === 'deflate') return zlib.createUnzip();
  if (encoding === 'br') return zlib.createBrotliDecompress();
  if (encoding === 'zstd') return zlib.createZstdDecompress();
  throw ClickHouseException.of(48, 'NOT_IMPLEMENTED', `Content-Encoding ${encoding} is not supported; use gzip`);
}

interface Summary {
  readonly written?: { readonly rows: number; readonly bytes: number };
  readonly read?: { readonly rows: number; readonly bytes: number };
  readonly result?: { readonly rows: number; readonly bytes: number };
}

function sendSummary(response: ServerResponse, began: number, { written, read, result }: Summary): void {
  const facts = {
    read_rows: read?.rows ?? written?.rows ?? 0,
    read_bytes: read?.bytes ?? written?.bytes ?? 0,
    written_rows: written?.rows ?? 0,
    written_bytes: written?.bytes ?? 0,
    total_rows_to_read: 0,
    result_rows: result?.rows ?? written?.rows ?? 0,
    result_bytes: result?.bytes ?? written?.bytes ?? 0,
    elapsed_ns: Math.round((performance.now() - began) * 1e6),
  };
  const texts = Object.entries(facts).map(([name, value]) => [name, String(value)]);
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(Object.fromEntries(texts)));
}

function fail(response: ServerResponse, exception: ClickHouseException): void {
  if (response.headersSent) {
    breakOff(response, lastWords(exception));
    return;
  }
  for (const name of ['X-ClickHouse-Summary', 'X-ClickHouse-Format', 'Content-Encoding']) response.removeHeader(name);
  response.setHeader('X-ClickHouse-Exception-Code', exception.code);
  if (exception.status === 413) response.setHeader('Connection', 'close');
  response.writeHead(exception.status, { 'Content-Type': 'text/plain; charset=UTF-8' });
  response.end(`${exception.message} (version embedded)\n`);
}

/** Too late for a status: the text goes into the result, compressed like it, and the connection breaks, as a server does it. */
function breakOff(response: ServerResponse, last: string | Uint8Array): void {
  response.write(last, () => response.destroy());
}

const lastWords = (exception: ClickHouseException): string => `\n${exception.message}\n`;

/** A result on its way to the client. */
class Output {
  readonly #response: ServerResponse;
  readonly #format: string;
  readonly #encoding: 'gzip' | 'br' | 'zstd' | 'deflate' | undefined;
  #compressor: Transform | undefined;

  constructor(response: ServerResponse, format: string, acceptEncoding: string | string[] | undefined) {
    this.#response = response;
    this.#format = format;
    const accepted = String(acceptEncoding ?? '');
    this.#encoding = (['gzip', 'zstd', 'br', 'deflate'] as const).find((name) => accepted.includes(name));
  }

  async send(bytes: Uint8Array, began: number, rows: number, readBytes: number): Promise<void> {
    sendSummary(this.#response, began, {
      read: { rows, bytes: readBytes },
      result: { rows, bytes: bytes.length },
    });
    const target = this.#open();
    await write(target, bytes);
    target.end();
  }

  /** A result of one block is sent with its summary; a longer one as it comes. */
  async stream(blocks: AsyncIterable<Block>, began: number): Promise<void> {
    const iterator = blocks[Symbol.asyncIterator]();
    try {
      const first = await iterator.next();
      const second = first.done ? first : await iterator.next();
      if (second.done) {
        const block: Block = first.done ? { bytes: new Uint8Array(), rows: 0 } : first.value;
        await this.send(block.bytes, began, block.rows, block.bytes.length);
        return;
      }
      sendSummary(this.#response, began, {});
      const target = this.#open();
      await write(target, (first.value as Block).bytes);
      for (let next: IteratorResult<Block> = second; !next.done; next = await iterator.next()) {
        if (this.#response.destroyed) return;
        await write(target, next.value.bytes);
      }
      target.end();
    } catch (error) {
      if (!this.#compressor || this.#response.destroyed) throw error;
      this.#compressor.unpipe(this.#response);
      this.#compressor.end(lastWords(ClickHouseException.from(error)));
      breakOff(this.#response, Buffer.concat(await this.#compressor.toArray()));
    } finally {
      await iterator.return?.();
    }
  }

  #open(): Writable {
    this.#response.setHeader('X-ClickHouse-Format', this.#format);
    this.#response.setHeader('Content-Type', contentType(this.#format));
    if (this.#encoding === undefined) {
      this.#response.writeHead(200);
      return this.#response;
    }
    this.#response.setHeader('Content-Encoding', this.#encoding);
    this.#response.writeHead(200);
    const compressor = {
      gzip: () => zlib.createGzip({ level: 1 }),
      deflate: () => zlib.createDeflate({ level: 1 }),
      br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
      zstd: () => zlib.createZstdCompress(),
    }[this.#encoding]();
    this.#compressor = compressor;
    compressor.pipe(this.#response);
    this.#response.once('close', () => compressor.destroy());
    return compressor;
  }
}

const patienceMs = 300_000;

/** Writes and waits until there is room for more. A reader that takes nothing for five minutes is let go. */
async function write(target: Writable, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || target.destroyed || target.write(bytes)) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    await Promise.race([
      once(target, 'drain', { signal }),
      once(target, 'close', { signal }),
      sleep(patienceMs, undefined, { signal, ref: false }).then(() => target.destroy()),
    ]);
  } finally {
    waiting.abort();
  }
}
