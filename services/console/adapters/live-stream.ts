import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import type { Reader } from '#shared/kafka/read-partitions.ts';
import { BackOff } from '#shared/service/back-off.ts';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { Allowance } from '../core/allowance.ts';
import { Problem } from '../core/problem.ts';
import { everything, watch } from './watch.ts';

/** Where the live page may send events to. */
export interface Sending {
  /** The collector as browsers reach it. */
  readonly collectorUrl: string;
  readonly writeKey: string;
}

export interface LiveOptions {
  readonly kafka: KafkaClient;
  readonly codecs: Codecs;
  readonly prefix: string;
  /** Undefined: from the page nothing can be sent. */
  readonly sending: Sending | undefined;
  readonly metrics: Registry;
  readonly log: Log;
}

const MOST_WATCHERS = 50;
/** Of each topic. More can nobody look at; what is left out is not even decoded. */
const MOST_PER_SECOND = 50;
/** May wait for one watcher. */
const MOST_WAITING_BYTES = 64 * 1024;
const TICK_MS = 1_000;
const HEARTBEAT_TICKS = 15;
/** A watcher who takes nothing for so long has gone. */
const PATIENCE_TICKS = 60;

/**
 * `GET /v1/live`: what passes on the topics, as server-sent events. `hello` says where events can be sent to, `state` whether the
 * topics are watched, `passing` is a `Passing`, and `missed` says how many of these a watcher was not shown, since there were too many or
 * they were not taken. The topics are read only while somebody watches, from that moment on.
 */
export class LiveStream implements Service {
  readonly name = 'live stream';
  readonly #options: LiveOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #leftOut: Counter;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #isWatching = false;
  /** Of the reading that goes on now; readings that end may take a while. */
  #reading: AbortController | undefined;
  readonly #ending = new Set<Promise<void>>();
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    const watchers = this.#watchers;
    new Gauge({
      name: 'tributary_live_watchers',
      help: 'Who watches the live stream',
      registers: [options.metrics],
      collect() {
        this.set(watchers.size);
      },
    });
    this.#leftOut = new Counter({
      name: 'tributary_live_missed_total',
      help: 'Messages that watchers of the live stream were not shown',
      registers: [options.metrics],
    });
  }

  async run(): Promise<void> {
    await this.#closed.promise;
  }

  async stop(): Promise<void> {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
    this.#rest();
    await Promise.all(this.#ending);
    this.#closed.resolve();
  }

  /** Takes a watcher on, who goes when the connection does. @throws Problem */
  take(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET')
      throw new Problem(405, 'method_not_allowed', 'only GET is answered', { allow: 'GET' });
    if (this.#isClosed) throw new Problem(503, 'not_ready', 'this is being stopped; try again in a moment');
    if (this.#watchers.size >= MOST_WATCHERS)
      throw new Problem(503, 'too_many_watchers', `${MOST_WATCHERS} are watching already`);
    const watcher = new Watcher(response, (count) => this.#leftOut.inc(count));
    this.#watchers.add(watcher);
    response.on('close', () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#rest();
    });
    response.on('error', () => undefined);
    watcher.begin();
    watcher.tell(message('hello', { collector: this.#options.sending ?? null }));
    watcher.tell(this.#state());
    if (!this.#reading) this.#read();
  }

  #read(): void {
    const reading = new AbortController();
    this.#reading = reading;
    const ended = this.#follow(reading.signal).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    let ticks = 0;
    this.#ticker = setInterval(() => {
      ticks++;
      for (const watcher of this.#watchers) watcher.tick(ticks % HEARTBEAT_TICKS === 0);
    }, TICK_MS);
  }

  #rest(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    this.#isWatching = false;
    clearInterval(this.#ticker);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const backOff = new BackOff(100, 5_000);
    while (!signal.aborted) {
      try {
        await this.#followOnce(signal, () => backOff.succeeded());
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'the live stream is read anew');
        this.#isWatching = false;
        this.#tell(this.#state());
        await backOff.failed(signal);
      }
    }
  }

  async #followOnce(signal: AbortSignal, onSuccess: () => void): Promise<void> {
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => undefined);
    signal.addEventListener('abort', () => ended.reject(new Error('nobody watches')), { once: true });
    const allowance = new Allowance(MOST_PER_SECOND);
    let reader: Reader | undefined;
    try {
      reader = await watch(this.#options, everything, {
        most: ({ name }, count) => allowance.take(name, count, performance.now()),
        onLost: ended.reject,
        onPassing: (passing, leftOut) => {
          if (signal.aborted) return;
          for (const one of passing) this.#tell(message('passing', one));
          if (leftOut > 0) for (const watcher of this.#watchers) watcher.miss(leftOut);
        },
      });
      onSuccess();
      if (!signal.aborted) {
        this.#isWatching = true;
        this.#tell(this.#state());
      }
      await ended.promise;
    } finally {
      await reader?.stop();
    }
  }

  #state(): string {
    return message('state', { watching: this.#isWatching });
  }

  #tell(text: string): void {
    for (const watcher of this.#watchers) watcher.tell(text);
  }
}

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Somebody who watches. Nothing is kept for them but what the connection has not taken yet, and that is bounded. */
class Watcher {
  readonly #response: ServerResponse;
  readonly #onMissed: (count: number) => void;
  #missed = 0;
  #ticksWithoutRoom = 0;

  constructor(response: ServerResponse, onMissed: (count: number) => void) {
    this.#response = response;
    this.#onMissed = onMissed;
  }

  begin(): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // What stands between must not hold it back, and the connection ends with it.
      'x-accel-buffering': 'no',
      connection: 'close',
    });
  }

  tell(text: string): void {
    if (!this.#hasRoom) {
      this.miss(1);
      return;
    }
    this.#ownUp();
    this.#response.write(text);
  }

  miss(count: number): void {
    this.#missed += count;
    this.#onMissed(count);
  }

  tick(isHeartbeat: boolean): void {
    if (!this.#hasRoom) {
      if (++this.#ticksWithoutRoom >= PATIENCE_TICKS) this.#response.destroy();
      return;
    }
    this.#ticksWithoutRoom = 0;
    this.#ownUp();
    if (isHeartbeat) this.#response.write(': still here\n\n');
  }

  end(): void {
    this.#response.end();
  }

  #ownUp(): void {
    if (this.#missed === 0) return;
    this.#response.write(message('missed', { count: this.#missed }));
    this.#missed = 0;
  }

  get #hasRoom(): boolean {
    return this.#response.writableLength < MOST_WAITING_BYTES;
  }
}
