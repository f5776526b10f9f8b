import type { Generation } from '#schemas/generated/records.ts';
import { generationsTopic } from '#schemas/topics.ts';
import { type Reader, readPartitions } from '#shared/kafka/read-partitions.ts';
import type { Service } from '#shared/service/service.ts';
import { LostInfrastructure } from './errors.ts';
import type { TaskHost, TaskRunner } from './runner.ts';

/** Tasks of a generation, to be run in this host. */
type RunnersOf = (record: Generation, host: TaskHost) => readonly TaskRunner[];

/** Also one that is about to become live for the first time. */
const isRun = ({ state, edition }: Generation): boolean => state !== 'dropped' && edition > 0;

/**
 * Runs the tasks of all generations beside the process's own that are live or may become so again. Whether one speaks to all is in its tasks'
 * own state; one that was never live is run by whoever replays it, and the two share its groups for as long as both run.
 */
export class OtherGenerations implements Service {
  readonly name = 'other generations';
  readonly #host: TaskHost;
  readonly #runnersOf: RunnersOf;
  readonly #records = new Map<number, Generation>();
  readonly #running = new Map<number, readonly TaskRunner[]>();
  #reader: Reader | undefined;
  #isKnown = false;
  #stopping = false;
  #end: (error?: Error) => void = () => {};
  /** Changes are carried out one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(host: TaskHost, runnersOf: RunnersOf) {
    this.#host = host;
    this.#runnersOf = runnersOf;
  }

  notReady(): string[] {
    if (!this.#isKnown) return ['it is not known which generations there are'];
    return [...this.#running].flatMap(([generation, runners]) =>
      runners.flatMap((runner) => runner.notReady().map((what) => `generation ${generation}: ${what}`)),
    );
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    ended.catch(() => undefined);
    const { kafka, codecs, prefix, log } = this.#host;
    const topic = prefix + generationsTopic.name;
    const codec = await codecs.ofTopic(topic, generationsTopic.value);
    this.#reader = await readPartitions(kafka, [topic], {
      log,
      onLost: (cause) => this.#end(new LostInfrastructure('generations can no longer be followed', { cause })),
      onBatch: async ({ messages }) => {
        await codec.prepare(messages.map(({ value }) => value));
        for (const { key, value } of messages)
          if (value) this.#records.set(Number(key), codec.decode(value) as Generation);
        if (this.#isKnown) this.#change();
      },
    });
    await this.#reader.caughtUp();
    this.#isKnown = true;
    this.#change();
    await ended;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#changing;
    await this.#reader?.stop();
    await Promise.all([...this.#running.values()].flat().map((runner) => runner.stop()));
    this.#end();
  }

  #change(): void {
    this.#changing = this.#changing.then(() => this.#apply()).catch((error: Error) => this.#end(error));
  }

  async #apply(): Promise<void> {
    if (this.#stopping) return;
    const { generation: own, log } = this.#host;
    for (const [generation, record] of this.#records) {
      const running = this.#running.get(generation);
      if (!running && generation !== own && isRun(record)) {
        log.info({ generation, state: record.state }, 'this generation is run, too');
        const runners = this.#runnersOf(record, { ...this.#host, generation, booksGeneration: own, isBeside: true });
        this.#running.set(generation, runners);
        for (const runner of runners) runner.run().catch((error: Error) => this.#end(error));
      } else if (running && !isRun(record)) {
        log.info({ generation, state: record.state }, 'this generation is not run any more');
        this.#running.delete(generation);
        await Promise.all(running.map((runner) => runner.stop()));
      }
    }
  }
}
