import type { Definitions } from '#shared/definitions/definitions.ts';
import { followDefinitions } from '#shared/definitions/feed.ts';
import { definitionsIn, laidOver } from '#shared/definitions/laid-over.ts';
import { createKafka, type KafkaClient } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import type { generationOptions } from '#shared/service/generation-options.ts';
import { startOpsServer } from '#shared/service/ops-server.ts';
import type { Values } from '#shared/service/options.ts';
import type { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';
import { runServices } from '#shared/service/run-services.ts';
import type { Service } from '#shared/service/service.ts';
import { instruments } from '#shared/service/start-up.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { remembering } from './remembering.ts';
import { type TaskHost, TaskRunner } from './runner.ts';

type Settings = Partial<Values<typeof generationOptions>> &
  Values<typeof platformOptions & { opsPort: ReturnType<typeof opsPort>; opsHost: typeof opsHost }>;

/** What runs tasks in a process, before the tasks are known. */
export interface TaskProcess {
  readonly host: TaskHost;
  readonly kafka: KafkaClient;
  /** Calls back with each change of the definitions. */
  onDefinitions(listener: () => void): void;
  /** Runs these, with the operations port, until the process is told to stop. */
  run(services: readonly (Service & { notReady(): readonly string[] })[]): Promise<void>;
}

/** Connects a process of a service to its surroundings. */
export async function taskProcess(service: string, settings: Settings): Promise<TaskProcess> {
  const { log, metrics } = instruments(service, settings.logLevel);
  const kafka = createKafka(settings, service);
  const codecs = new Codecs(settings.registryUrl);
  let lost: (error: Error) => void = () => {};
  const connectionLost = new Promise<never>((_, reject) => {
    lost = (error) => reject(new LostInfrastructure('the definitions can no longer be followed', { cause: error }));
  });
  connectionLost.catch(() => undefined);
  const feed = await followDefinitions(kafka, codecs, settings.prefix, log, lost);
  const others = settings.replayDefinitions ? definitionsIn(settings.replayDefinitions) : undefined;
  // The same snapshot for the same definitions: by that it is seen that nothing has changed.
  const own = remembering((current: Definitions) => (others ? laidOver(current, others) : current));
  const host: TaskHost = {
    service,
    kafka,
    codecs,
    log,
    metrics,
    definitions: () => own(feed.current()),
    prefix: settings.prefix,
    generation: settings.generation,
    ...(settings.booksGeneration && { booksGeneration: settings.booksGeneration }),
    replication: settings.replication,
    dataDirectory: settings.dataDirectory,
  };
  return {
    host,
    kafka,
    onDefinitions: (listener) => feed.onChange(listener),
    async run(services) {
      const notReady = (): string[] => services.flatMap((one) => one.notReady());
      const ops = await startOpsServer(settings.opsHost, settings.opsPort, { notReady, metrics });
      let stopFeed = (): void => {};
      const stopped = new Promise<void>((resolve) => {
        stopFeed = resolve;
      });
      const following: Service = {
        name: 'definitions',
        run: () => Promise.race([connectionLost, stopped]),
        stop: async () => {
          ops.close();
          await feed.stop();
          stopFeed();
        },
      };
      log.info({ port: settings.opsPort }, 'started');
      await runServices(log, [following, ...services]);
    },
  };
}

/** A runner for each task. */
export const runnersOf = (tasks: readonly unknown[], host: TaskHost): TaskRunner[] =>
  tasks.map((task) => new TaskRunner(task, host));
