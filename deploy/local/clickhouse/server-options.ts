import { count, port, text } from '#shared/service/options.ts';

export const clickhouseServerOptions = {
  port: port('CLICKHOUSE_PORT', 'Port of the HTTP interface', '8123'),
  host: text('CLICKHOUSE_HOST', 'Address that it is bound to', '127.0.0.1'),
  directory: text('CLICKHOUSE_DIRECTORY', 'Directory of the tables'),
  configFile: text('CLICKHOUSE_CONFIG_FILE', 'The engine’s own configuration'),
  passwordFile: text('CLICKHOUSE_PASSWORD_FILE', 'File with the password of the user `default`'),
  maxRequestBytes: count('CLICKHOUSE_MAX_REQUEST_BYTES', 'Largest request, decompressed', String(256 * 1024 * 1024)),
  maxResultBytes: count(
    'CLICKHOUSE_MAX_RESULT_BYTES',
    'Largest result of a format that is not streamed',
    String(256 * 1024 * 1024),
  ),
  concurrentQueries: count('CLICKHOUSE_CONCURRENT_QUERIES', 'Queries at a time; more wait', '6'),
} as const;
