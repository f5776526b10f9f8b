import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answersHttp } from './probes.ts';
import type { Unit } from './unit.ts';

export interface ClickHouseOptions {
  readonly directory: string;
  readonly port: number;
  readonly passwordFile: string;
}

/** ClickHouse as a library behind its own HTTP interface, a process of its own, on loopback. */
export function clickhouseUnit({ directory, port, passwordFile }: ClickHouseOptions): Unit {
  return {
    name: 'clickhouse',
    kind: 'service',
    // Its Kafka tables read from the first moment; and it stops, leaving its consumer groups, while Kafka still runs.
    dependsOn: ['kafka'],
    ports: [{ port, setting: 'TRIBUTARY_CLICKHOUSE_PORT' }],
    stopSignal: 'SIGTERM',
    stopGraceMs: 15_000,
    startLimitMs: 120_000,
    ready: () => answersHttp(`http://127.0.0.1:${port}/ping`),
    command: () => {
      mkdirSync(directory, { recursive: true });
      const configFile = join(directory, 'config.xml');
      writeFileSync(configFile, configuration);
      return {
        program: process.execPath,
        args: [join(import.meta.dirname, 'clickhouse-server.ts')],
        env: {
          TRIBUTARY_CLICKHOUSE_PORT: String(port),
          TRIBUTARY_CLICKHOUSE_DIRECTORY: join(directory, 'data'),
          TRIBUTARY_CLICKHOUSE_CONFIG_FILE: configFile,
          TRIBUTARY_CLICKHOUSE_PASSWORD_FILE: passwordFile,
          // Each running query takes one of Node's worker threads.
          UV_THREADPOOL_SIZE: '10',
        },
      };
    },
  };
}

/** Sized for a small machine that it shares with Kafka and five services. */
const configuration = `<clickhouse>
  <logger><level>none</level></logger>
  <!-- A consumer that died is missed for 6 seconds, not for 45. -->
  <kafka>
    <session_timeout_ms>6000</session_timeout_ms>
    <heartbeat_interval_ms>1000</heartbeat_interval_ms>
    <max_poll_interval_ms>300000</max_poll_interval_ms>
  </kafka>
  <max_server_memory_usage>3000000000</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <primary_index_cache_size>67108864</primary_index_cache_size>
  <index_mark_cache_size>8388608</index_mark_cache_size>
  <query_condition_cache_size>8388608</query_condition_cache_size>
  <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <!-- As many as a server has. The embedded engine takes two, for which the tables that read Kafka then wait in turn. -->
  <background_message_broker_schedule_pool_size>16</background_message_broker_schedule_pool_size>
  <max_thread_pool_size>500</max_thread_pool_size>
  <max_io_thread_pool_size>8</max_io_thread_pool_size>
  <tables_loader_foreground_pool_size>2</tables_loader_foreground_pool_size>
  <tables_loader_background_pool_size>2</tables_loader_background_pool_size>
</clickhouse>
`;
