import { Counter, Histogram, type Registry } from 'prom-client';
import type { DefinitionKind } from '#shared/definitions/kinds.ts';
import type { Send } from '../destination.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts and times every attempt of the senders that it is given. */
export function meter(metrics: Registry): <R, K extends DefinitionKind>(send: Send<R, K>) => Send<R, K> {
  const registers = [metrics];
  const attempts = new Counter({
    name: 'tributary_delivery_attempts_total',
    help: 'Attempts to deliver, by what came of them',
    labelNames: ['destination', 'result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tributary_delivery_attempt_seconds',
    help: 'Time of an attempt to deliver',
    labelNames: ['destination'],
    buckets: SECONDS,
    registers,
  });
  return (send) => async (request, destination, signal) => {
    const began = performance.now();
    const answer = await send(request, destination, signal);
    seconds.observe({ destination: destination.name }, (performance.now() - began) / 1_000);
    attempts.inc({ destination: destination.name, result: answer.kind });
    return answer;
  };
}
