import type { TestProject } from 'vitest/node';

/** Starts Kafka, the registry and ClickHouse for all tests that need them, unless their addresses are given. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const {
    TRIBUTARY_TEST_KAFKA_BROKERS: brokers,
    TRIBUTARY_TEST_REGISTRY_URL: registryUrl,
    TRIBUTARY_TEST_CLICKHOUSE_URL: clickhouseUrl = '',
    TRIBUTARY_TEST_CLICKHOUSE_PASSWORD: clickhousePassword = '',
  } = process.env;
  if (brokers && registryUrl) {
    const forClickHouse = { brokers, registryUrl };
    project.provide('addresses', { brokers, registryUrl, clickhouseUrl, clickhousePassword, forClickHouse });
    return async () => {};
  }
  const { startPlatform } = await import('./platform.ts');
  const platform = await startPlatform({ parts: ['kafka', 'registry', 'clickhouse'] });
  project.provide('addresses', {
    brokers: platform.brokers,
    registryUrl: platform.registryUrl,
    clickhouseUrl: platform.clickhouseUrl,
    clickhousePassword: platform.clickhousePassword,
    // ClickHouse asks by the older version of the registry's API.
    forClickHouse: { brokers: platform.brokers, registryUrl: platform.registryUrl.replace('/v7', '/v6') },
  });
  return () => platform.stop();
}
