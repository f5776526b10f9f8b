import { deadTopic, type Topic } from '#schemas/topics.ts';
import type { Definitions, InForce } from '#shared/definitions/definitions.ts';
import type { Log } from '#shared/service/log.ts';
import { Apart } from './apart.ts';
import type { Runner } from './runner.ts';

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

/**
 * Keeps one task at work for each webhook that is switched on. One that is switched off or deleted stands still; so does one whose
 * receiver wants no more, until its definition is changed or the process starts anew.
 */
export class WebhookSupervisor implements Runner {
  readonly name = 'webhooks';
  readonly #around: WebhookSurroundings;
  readonly #atWork = new Map<string, Apart>();
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
    return [...this.#atWork.values()].flatMap((one) => one.notReady());
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
    await Promise.all([...this.#atWork.values()].map((one) => one.stop()));
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
    const signals = new AbortController();
    const runner = this.#around.webhook(webhook, signals.signal, ({ version }) => {
      if (this.#unwanted.get(name) === version) return;
      this.#unwanted.set(name, version);
      this.#around.log.error({ webhook: name, version }, 'the receiver wants no more (410); this webhook stands still');
      this.#change();
    });
    this.#around.log.info({ webhook: name }, 'following the feed for this webhook');
    const onFailed = (err: Error): void =>
      this.#around.log.fatal({ webhook: name, err }, 'this webhook has stopped; the others go on');
    this.#atWork.set(name, new Apart(runner, signals, (error) => this.#end(error), onFailed));
  }

  async #halt(name: string): Promise<void> {
    await this.#atWork.get(name)?.halt();
    this.#atWork.delete(name);
  }
}
