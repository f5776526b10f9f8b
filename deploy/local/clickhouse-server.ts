import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { settingsOf } from '#shared/service/start-up.ts';
import { Engine } from './clickhouse/engine.ts';
import { HttpInterface } from './clickhouse/http-interface.ts';
import { clickhouseServerOptions } from './clickhouse/server-options.ts';

const settings = settingsOf('ClickHouse, embedded, behind its HTTP interface', clickhouseServerOptions);

const engine = new Engine(settings.directory, settings.configFile);
const setUp = engine.connect();
// The engine's own `default` is not Atomic: no EXCHANGE TABLES, no refreshable views.
await setUp.run(`CREATE DATABASE IF NOT EXISTS tributary ENGINE = Atomic`, 'Null');
setUp.close();

const interface_ = new HttpInterface(engine, {
  user: 'default',
  password: readFileSync(settings.passwordFile, 'utf8').trim(),
  maxRequestBytes: settings.maxRequestBytes,
  maxResultBytes: settings.maxResultBytes,
  concurrentQueries: settings.concurrentQueries,
  waitingQueries: 200,
  defaults: {
    max_threads: '2',
    max_insert_threads: '1',
    // The engine is made for a command line, where `1 + 1` is a query.
    implicit_select: '0',
  },
});

const server = createServer((request, response) => void interface_.handle(request, response));
server.keepAliveTimeout = 30_000;
server.listen(settings.port, settings.host, () =>
  process.stdout.write(`ClickHouse answers on port ${settings.port}\n`),
);

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    server.close(() => {
      interface_.close();
      engine.close();
      process.exit(0);
    });
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}
