import { once } from 'node:events';
import type { Log } from './log.ts';
import type { Service } from './service.ts';

/** So long a process that cannot go on waits for its parts to stop. Nothing is lost without: whatever is committed is in Kafka. */
const LETTING_GO_MS = 15_000;

/**
 * Runs services until the process is told to stop (SIGTERM, SIGINT) or one of them cannot go on. Then stops all, in reverse
 * order, and sets the exit code: 0 as asked, 70 after a failure. A second signal ends the process at once.
 */
export async function runServices(log: Log, services: readonly Service[]): Promise<void> {
  const asked = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]).then(() => 'asked' as const);
  const running = services.map((service) =>
    service.run().then(
      () => 'ended' as const,
      (error: unknown) => {
        log.fatal({ service: service.name, err: error }, 'cannot go on');
        process.exitCode = 70;
        return 'failed' as const;
      },
    ),
  );
  const reason = await Promise.race([asked, ...running]);
  log.info({ reason }, 'stopping');
  if (reason !== 'asked') {
    setTimeout(() => {
      log.fatal('something does not let go; ending all the same');
      process.exit();
    }, LETTING_GO_MS).unref();
  }
  process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1));
  for (const service of [...services].reverse()) {
    await service
      .stop()
      .catch((error: unknown) => log.error({ service: service.name, err: error }, 'did not stop cleanly'));
  }
  await Promise.all(running);
  log.info('stopped');
  process.exit();
}
