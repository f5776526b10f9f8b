import type { TestProject } from 'vitest/node';

/** Starts Kafka, the registry and ClickHouse for all tests that need them, unless their addresses are given. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { TRIBUTARY_TEST_KAFKA_BROKERS: brokers, TRIBUTARY_TEST_REGISTRY_URL: registryUrl } = process.env;
  if (brokers && registryUrl) {
    project.provide('addresses', { brokers, registryUrl });
    return async () => {};
  }
  const { startPlatform } = await import('./platform.ts');
  const platform = await startPlatform({ parts: ['kafka', 'registry'] });
  project.provide('addresses', { brokers: platform.brokers, registryUrl: platform.registryUrl });
  return () => platform.stop();
}
