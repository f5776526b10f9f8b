/** Runs the counting task in a process of its own, so that it can be killed and suspended. Arguments: installation, state directory. */
import { Registry } from 'prom-client';
import { Definitions } from '#shared/definitions/definitions.ts';
import { createLog } from '#shared/service/log.ts';
import { runServices } from '#shared/service/run-services.ts';
import { TaskRunner } from '#shared/task/runner.ts';
import { countingTask } from './counting-task.ts';
import { clientsOf } from './installation.ts';

const { brokers, registryUrl, prefix, dataDirectory } = JSON.parse(process.argv[2] as string);
const log = createLog('counter', process.env.TRIBUTARY_TEST_LOG ?? 'silent');
const runner = new TaskRunner(countingTask(), {
  service: 'test',
  ...clientsOf({ brokers, registryUrl }),
  log,
  metrics: new Registry(),
  definitions: () => new Definitions(),
  prefix,
  generation: 1,
  replication: 1,
  dataDirectory,
});
const ready = setInterval(() => {
  if (runner.notReady().length > 0) return;
  process.stdout.write('READY\n');
  clearInterval(ready);
}, 20);
await runServices(log, [runner]);
