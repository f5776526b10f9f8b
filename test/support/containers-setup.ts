import type { TestProject } from 'vitest/node';
import { startContainerParts } from './container-parts.ts';

/** Starts Kafka, the registry and ClickHouse of docker-compose.yml's images for the contract tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { inside, stop, ...outside } = await startContainerParts();
  project.provide('addresses', { ...outside, forClickHouse: inside });
  return stop;
}
