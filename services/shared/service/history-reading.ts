import type { ClickHouseClient } from '@clickhouse/client';
import { Gauge, type Registry } from 'prom-client';
import { type clickhouseOptions, createClickHouse } from '#shared/clickhouse/client.ts';
import { EventLog } from '#shared/clickhouse/event-log.ts';
import { mostAtOnce, readingAhead } from '#shared/clickhouse/read-ahead.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { generationOptions } from './generation-options.ts';
import type { Log } from './log.ts';
import type { Values } from './options.ts';
import { pace } from './pace.ts';
import type { platformOptions } from './platform-options.ts';

type Settings = Values<typeof platformOptions & typeof clickhouseOptions & typeof generationOptions>;

/** A bound is kept to on average over so many seconds; */
const BOUNDED_SECONDS = 5;
/** or over as many events. */
const FEWEST_AT_ONCE = 1_000;

const allAhead = (events: EventLog) => ({
  ends: () => events.ends(),
  reaches: (below: readonly number[]) => events.reaches(below),
  count: (below: readonly number[]) => events.count(below),
  slice: readingAhead((...which) => events.slice(...which)),
  sliceWithExpired: readingAhead((...which) => events.sliceWithExpired(...which)),
});

/** What a task that reads the event log is given: the log, how fast it may, and whom it tells how far it is. */
export function historyReading(
  settings: Settings,
  service: string,
  { kafka, log, metrics }: { readonly kafka: KafkaClient; readonly log: Log; readonly metrics: Registry },
) {
  let clickhouse: ClickHouseClient | undefined;
  const connected = (): ClickHouseClient => {
    clickhouse ??= createClickHouse(settings, `tributary-${service}`, true);
    return clickhouse;
  };
  const registers = [metrics];
  const read = new Gauge({ name: 'tributary_history_events_read', help: 'Events of history read so far', registers });
  const all = new Gauge({ name: 'tributary_history_events', help: 'Events of history to be read', registers });
  const events = new EventLog(kafka, connected, settings.clickhouseDatabase, settings.prefix);
  const rate = settings.replayRate;
  return {
    history: rate === 0 ? allAhead(events) : events,
    atOnce: rate === 0 ? mostAtOnce : Math.min(Math.max(rate * BOUNDED_SECONDS, FEWEST_AT_ONCE), mostAtOnce),
    pace: pace(rate),
    onTrouble: (error: unknown): void => log.warn({ err: error }, 'the event log cannot be read; it is tried again'),
    onProgress: (rows: number, of: number): void => {
      read.set(rows);
      all.set(of);
    },
  };
}
