import { deadTopic, deliveryTopic, type Topic } from '#schemas/topics.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import type { Log } from '#shared/service/log.ts';
import { Apart } from './apart.ts';
import { destinationNames, destinationsWithTopics } from './core/destination-names.ts';
import { parseSubscription } from './core/subscription.ts';
import { joined, type Runner } from './runner.ts';

/** What the supervisor takes from outside. */
export interface Surroundings {
  readonly prefix: string;
  readonly log: Log;
  readonly definitions: () => Definitions;
  onDefinitions(listener: () => void): void;
  /** Full names of all topics. */
  listTopics(): Promise<readonly string[]>;
  /** Creates those that are missing. */
  provision(topics: readonly Topic[]): Promise<void>;
  planner(destinations: readonly string[]): Runner;
  /** The signal ends its attempts and waits. */
  sender(destination: string, signal: AbortSignal): Runner;
}

/**
 * Keeps one sender at work for each destination that has a topic of requests, also for one that was deleted, which then settles what is
 * left, and one planner for all of them. A destination that appears gets its topics, then its sender, then its place in the
 * planner.
 */
export class DestinationSupervisor implements Runner {
  readonly name = 'destinations';
  readonly #around: Surroundings;
  readonly #senders = new Map<string, Apart>();
  readonly #told = new Set<string>();
  #planner: { readonly runner: Runner; readonly destinations: readonly string[] } | undefined;
  #stopping = false;
  #end: (error?: Error) => void = () => {};
  /** Changes are carried out one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  notReady(): string[] {
    const senders = [...this.#senders.values()].flatMap((sender) => sender.notReady());
    return [...(this.#planner?.runner.notReady() ?? ['planner has not started']), ...senders];
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    this.#around.onDefinitions(() => this.#change());
    this.#change();
    await ended;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#changing;
    await Promise.all([...[...this.#senders.values()].map((sender) => sender.stop()), this.#planner?.runner.stop()]);
    this.#end();
  }

  #change(): void {
    this.#changing = this.#changing.then(() => this.#apply()).catch((error: Error) => this.#end(error));
  }

  async #apply(): Promise<void> {
    if (this.#stopping) return;
    const { definitions, log, prefix, listTopics, provision } = this.#around;
    const { usable, unusable } = destinationNames(definitions());
    for (const name of unusable)
      this.#tell(name, () => log.error({ destination: name }, 'nothing is sent to a destination with such a name'));
    this.#checkSubscriptions();
    const planned = this.#planner?.destinations;
    if (planned && usable.every((name) => planned.includes(name))) return;
    await provision(usable.flatMap((name) => [deliveryTopic(name), deadTopic(name)]));
    const destinations = [...new Set([...usable, ...destinationsWithTopics(await listTopics(), prefix)])].sort();
    for (const name of destinations) if (!this.#senders.has(name)) this.#startSender(name);
    if (this.#planner) {
      await joined(this.#planner.runner);
      await this.#planner.runner.stop();
    }
    const runner = this.#around.planner(destinations);
    this.#planner = { runner, destinations };
    runner.run().catch((error: Error) => this.#end(error));
    log.info({ destinations, senders: this.#senders.size }, 'planning for these destinations');
  }

  #startSender(name: string): void {
    const signals = new AbortController();
    const onFailed = (err: Error): void =>
      this.#around.log.fatal({ destination: name, err }, 'this destination has stopped; the others go on');
    const runner = this.#around.sender(name, signals.signal);
    this.#senders.set(name, new Apart(runner, signals, (error) => this.#end(error), onFailed));
  }

  #checkSubscriptions(): void {
    for (const { name, version, body } of this.#around.definitions().list('destination')) {
      try {
        parseSubscription(body.subscribe);
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown reason';
        this.#tell(`${name}@${version}`, () =>
          this.#around.log.error({ destination: name, version, reason }, 'no event can match this subscription'),
        );
      }
    }
  }

  #tell(what: string, tell: () => void): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    tell();
  }
}
