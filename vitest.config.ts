import { defineConfig } from 'vitest/config';
import { hasEngine } from './test/support/compose-file.ts';
import { PATIENCE_MS } from './test/support/until.ts';

const patient = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: PATIENCE_MS } } };
const contract = 'test/contract/**/*.test.ts';

/** Each takes a minute or more: `npm run test:platform` runs them with the others. */
const long =
  process.env.TRIBUTARY_LONG_TESTS === undefined
    ? ['idle-without-kafka', 'identity-under-fire', 'replayed', 'restored', 'started-anew', 'switched'].map(
        (name) => `test/integrity/${name}.test.ts`,
      )
    : [];

/** What the images of docker-compose.yml are tested with; where there is no Docker engine, one skipped test that says so. */
const containers = hasEngine()
  ? {
      include: [contract, 'test/containers/**/*.test.ts'],
      // SDKs meet a collector, not a container.
      exclude: ['test/contract/sdk/**'],
      globalSetup: ['test/support/containers-setup.ts'],
    }
  : { include: ['test/support/no-engine.test.ts'] };

/**
 * unit: pure, beside the code, many files in one process. broker: need Kafka, the registry and ClickHouse, which are started once for all of them. platform:
 * start, kill and restart whole platforms of their own, one after the other. containers: the same in containers; the contract tests
 * are run against both.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{services,schemas,deploy,test/model,test/mutation}/**/*.test.ts'],
          maxWorkers: 2,
          isolate: false,
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'broker',
          include: ['test/integration/**/*.test.ts', contract],
          exclude: ['test/integration/local-platform/**'],
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 2,
          ...patient,
        },
      },
      {
        test: {
          name: 'platform',
          include: [
            'test/integration/local-platform/**/*.test.ts',
            'test/integrity/**/*.test.ts',
            'test/e2e/**/*.test.ts',
          ],
          exclude: long,
          fileParallelism: false,
          ...patient,
        },
      },
      {
        test: {
          name: 'containers',
          ...containers,
          fileParallelism: false,
          ...patient,
        },
      },
    ],
  },
});
