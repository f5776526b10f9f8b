import { deadTopic, type Topic } from '#schemas/topics.ts';
import type { Definitions, InForce } from '#shared/definitions/definitions.ts';
import type { Log } from '#shared/service/log.ts';
import { TaskError } from '#shared/task/errors.ts';
import { joined, type Runner } from './runner.ts';

type Webhook = InForce<'profile_webhook'>;

/** What the supervisor takes from outside. */
export interface WebhookSurroundings {
  readonly log: Log;
  readonly definitions: () => Definitions;
  onDefinitions(listener: () => void): void;
  /** Creates those that are missing. */
  provision(topics: readonly Topic[]): Promise<void>;
  /** The signal ends its attempts and waits; `unwanted` is called when the receiver wants no more. */
  webhook(webhook: Webhook, signal: AbortSignal, unwanted: (webhook: Webhook) => void): Runner;
}

interface AtWork {
  readonly runner: Runner;
  readonly stop: AbortController;
  failed: string | undefined;
}

/**
 * Keeps one task at work for each webhook that is switched on. One that is switched off or deleted stands still; so does one whose
 * receiver wants no more, until its definition is changed or the process starts anew.
 */
export class WebhookSupervisor implements Runner {
  readonly name = 'webhooks';
  readonly #around: WebhookSurroundings;
  readonly #atWork = new Map<string, AtWork>();
  /** Versions of definitions whose receivers want no more, by name. */
  readonly #unwanted = new Map<string, number>();
  #stopping = false;
  #end: (error?: Error) => void = () => {};
  /** Changes are carried out one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(around: WebhookSurroundings) {
    this.#around = around;
  }

  notReady(): string[] {
    return [...this.#atWork.values()].flatMap(({ runner, failed }) => failed ?? runner.notReady());
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
    const atWork = [...this.#atWork.values()].filter(({ failed }) => failed === undefined);
    for (const { stop } of atWork) stop.abort();
    await Promise.all(atWork.map(({ runner }) => runner.stop()));
    this.#end();
  }

  #change(): void {
    this.#changing = this.#changing.then(() => this.#apply()).catch((error: Error) => this.#end(error));
  }

  async #apply(): Promise<void> {
    if (this.#stopping) return;
    const wanted = this.#around
      .definitions()
      .list('profile_webhook')
      .filter(({ name, version, body }) => body.enabled && this.#unwanted.get(name) !== version);
    for (const name of [...this.#atWork.keys()]) if (!wanted.some((one) => one.name === name)) await this.#halt(name);
    const added = wanted.filter(({ name }) => !this.#atWork.has(name));
    if (added.length === 0) return;
    await this.#around.provision(added.map(({ name }) => deadTopic(name)));
    for (const webhook of added) this.#start(webhook);
  }

  #start(webhook: Webhook): void {
    const { name } = webhook;
    const stop = new AbortController();
    const runner = this.#around.webhook(webhook, stop.signal, ({ version }) => {
      if (this.#unwanted.get(name) === version) return;
      this.#unwanted.set(name, version);
      this.#around.log.error({ webhook: name, version }, 'the receiver wants no more (410); this webhook stands still');
      this.#change();
    });
    const one: AtWork = { runner, stop, failed: undefined };
    this.#atWork.set(name, one);
    this.#around.log.info({ webhook: name }, 'following the feed for this webhook');
    runner.run().catch(async (error: Error) => {
      // Lost infrastructure concerns all; a contradiction only this webhook, and the others go on.
      if (!(error instanceof TaskError) || error.retryable) return this.#end(error);
      one.failed = `${runner.name} has stopped: ${error.message}`;
      this.#around.log.fatal({ webhook: name, err: error }, 'this webhook has stopped; the others go on');
      stop.abort();
      await runner.stop();
    });
  }

  async #halt(name: string): Promise<void> {
    const one = this.#atWork.get(name);
    if (!one) return;
    one.stop.abort();
    if (one.failed === undefined) {
      await joined(one.runner);
      await one.runner.stop();
    }
    this.#atWork.delete(name);
  }
}
