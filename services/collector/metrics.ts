import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Decision } from './core/event.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10];

/** What the collector counts. Labels are bounded: names of sources, stable codes, statuses. */
export class CollectorMetrics {
  readonly #requests: Counter<'status'>;
  readonly #events: Counter<'source' | 'outcome' | 'reason'>;
  readonly #flags: Counter<'source' | 'flag'>;
  readonly #unavailable: Counter<'code'>;
  readonly #seconds: Histogram;

  /** @param waitingBytes how much waits for Kafka */
  constructor(registry: Registry, waitingBytes: () => number) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'tributary_collector_requests_total',
      help: 'Requests by the status of their answer',
      labelNames: ['status'],
      registers,
    });
    this.#events = new Counter({
      name: 'tributary_collector_events_total',
      help: 'Events that were acknowledged, by what became of them',
      labelNames: ['source', 'outcome', 'reason'],
      registers,
    });
    this.#flags = new Counter({
      name: 'tributary_collector_flags_total',
      help: 'Accepted events by what is odd about them',
      labelNames: ['source', 'flag'],
      registers,
    });
    this.#unavailable = new Counter({
      name: 'tributary_collector_unavailable_total',
      help: 'Requests that were told to come back, and connections that were too many',
      labelNames: ['code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'tributary_collector_request_seconds',
      help: 'Time from the first byte of a request to its answer',
      buckets: SECONDS,
      registers,
    });
    new Gauge({
      name: 'tributary_collector_waiting_bytes',
      help: 'Bytes that wait for Kafka to acknowledge them',
      registers,
      collect() {
        this.set(waitingBytes());
      },
    });
  }

  answered(status: number, milliseconds: number): void {
    this.#requests.inc({ status });
    this.#seconds.observe(milliseconds / 1000);
  }

  /** Events of one request, once Kafka has those that are kept. */
  acknowledged(source: string, decisions: readonly Decision[]): void {
    let accepted = 0;
    for (const decision of decisions) {
      if (decision.outcome === 'accepted') {
        accepted++;
        for (const flag of decision.value.flags) this.#flags.inc({ source, flag });
      } else this.#events.inc({ source, outcome: decision.outcome, reason: decision.reason });
    }
    if (accepted > 0) this.#events.inc({ source, outcome: 'accepted', reason: '' }, accepted);
  }

  /** What a source's webhooks said that none of its rules wants. */
  unwanted(source: string, count: number): void {
    if (count > 0) this.#events.inc({ source, outcome: 'dropped', reason: 'no_rule' }, count);
  }

  unavailable(code: string): void {
    this.#unavailable.inc({ code });
  }
}
