import { defineConfig } from 'vitest/config';

const long = { testTimeout: 120_000, hookTimeout: 180_000 };

/**
 * unit: pure, beside the code. broker: need Kafka, the registry and ClickHouse, which are started once for all of them. platform:
 * start, kill and restart whole platforms of their own, one after the other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{services,schemas,deploy,test/model}/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'broker',
          include: ['test/integration/**/*.test.ts', 'test/contract/**/*.test.ts'],
          exclude: ['test/integration/local-platform/**'],
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 2,
          ...long,
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
          fileParallelism: false,
          ...long,
        },
      },
    ],
  },
});
