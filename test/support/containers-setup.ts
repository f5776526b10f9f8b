import type { TestProject } from 'vitest/node';
import { composeService, isStandIn } from './compose-file.ts';
import { startContainerParts } from './container-parts.ts';

/** Starts Kafka, the registry and ClickHouse of docker-compose.yml's images for the contract tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The container that would clear up after a test that is killed needs an image of its own.
  if (isStandIn(composeService('kafka').image)) process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const { brokers, registryUrl, clickhouseUrl, clickhousePassword, inside, stop } = await startContainerParts();
  project.provide('addresses', { brokers, registryUrl, clickhouseUrl, clickhousePassword, forClickHouse: inside });
  return stop;
}
