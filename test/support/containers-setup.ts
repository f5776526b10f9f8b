import type { TestProject } from 'vitest/node';
import { composeService, isStandIn } from './compose-file.ts';
import { type SecuredKafka, startContainerParts } from './container-parts.ts';

declare module 'vitest' {
  interface ProvidedContext {
    securedKafka: SecuredKafka;
  }
}

/** Starts Kafka, the registry and ClickHouse of docker-compose.yml's images, once for all tests that need no whole stack. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The container that would clear up after a test that is killed needs an image of its own.
  if (isStandIn(composeService('kafka').image)) process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const { addresses, secured, stop } = await startContainerParts();
  project.provide('addresses', addresses);
  project.provide('securedKafka', secured);
  return stop;
}
