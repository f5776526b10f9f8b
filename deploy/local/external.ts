import { readFileSync } from 'node:fs';
import { NotPossible } from './not-possible.ts';
import type { Settings } from './options.ts';
import { answersHttp } from './probes.ts';

/** Checks that the parts that somebody else runs answer. @throws NotPossible with a line for each that does not. */
export async function checkExternal(
  settings: Settings,
  external: ReadonlySet<string>,
  clickhousePasswordFile: string,
): Promise<void> {
  const checks: Promise<string | undefined>[] = [];
  const check = (setting: string, address: string, asked: () => Promise<boolean>) =>
    checks.push(
      asked().then(
        (answers) => (answers ? undefined : `${setting}: ${address} does not answer as it should`),
        (error: unknown) => `${setting}: ${address} does not answer: ${reasonOf(error)}`,
      ),
    );
  if (external.has('kafka')) {
    check('TRIBUTARY_KAFKA_BROKERS', settings.kafkaBrokers.join(','), () => answersAsCluster(settings));
  }
  if (external.has('registry'))
    check('TRIBUTARY_REGISTRY_URL', settings.registryUrl, () => answersHttp(`${settings.registryUrl}/subjects`));
  if (external.has('clickhouse')) {
    check('TRIBUTARY_CLICKHOUSE_URL', settings.clickhouseUrl, () => {
      const key = readFileSync(clickhousePasswordFile, 'utf8').trim();
      const headers = { 'X-ClickHouse-User': settings.clickhouseUser, 'X-ClickHouse-Key': key };
      return answersHttp(`${settings.clickhouseUrl}/?query=SELECT%201`, headers);
    });
  }
  const lines = (await Promise.all(checks)).filter((line) => line !== undefined);
  if (lines.length > 0) throw new NotPossible(lines.join('\n'));
}

async function answersAsCluster(settings: Settings): Promise<boolean> {
  // Loaded only for somebody else's Kafka: our own needs no client to be asked whether it is there.
  const { createKafka } = await import('#shared/kafka/client.ts');
  const admin = createKafka(settings, 'tributary-supervisor').admin({ retry: { retries: 2 } });
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } finally {
    await admin.disconnect();
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? (cause.message.split('\n', 1)[0] as string) || cause.name : String(cause);
}
