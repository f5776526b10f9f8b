/** The walls of the house: see CONTRIBUTING.md. */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle hides which part depends on which.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'services-apart',
      severity: 'error',
      comment: 'Services talk only over topics.',
      from: { path: '^services/([^/]+)/', pathNot: '^services/shared/' },
      to: { path: '^services/([^/]+)/', pathNot: ['^services/$1/', '^services/shared/'] },
    },
    {
      name: 'shared-knows-no-service',
      severity: 'error',
      from: { path: '^services/shared/' },
      to: { path: '^services/', pathNot: '^services/shared/' },
    },
    {
      name: 'services-know-no-deployment',
      severity: 'error',
      comment: 'Nothing in services knows which platform it runs on.',
      from: { path: '^(services|schemas)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^(deploy|test)/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'A core has no client, log or I/O.',
      from: { path: '/core/', pathNot: '[.](test|bench)[.]ts$' },
      to: {
        path: [
          '/adapters/',
          '^services/shared/(kafka|service)/',
          'node_modules/(kafkajs|lmdb|pino|prom-client|@clickhouse)',
          '^(node:)?(fs|net|http|https|child_process|worker_threads|os|process|timers)',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'kafkajs-through-client',
      severity: 'error',
      comment: 'kafkajs must be mended before it loads; types may come from anywhere.',
      from: { path: '^(services|deploy|bin)/', pathNot: '^services/shared/kafka/' },
      to: { path: 'node_modules/kafkajs', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
