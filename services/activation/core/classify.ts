import type { Answer } from './answer.ts';

/** What to do after an attempt. Reasons are stable codes. */
export type Verdict =
  | { readonly next: 'delivered' }
  | { readonly next: 'retry'; readonly reason: string; readonly afterMs: number | null }
  | { readonly next: 'give_up'; readonly reason: string };

/** Answers that are about this moment, not about this request: timeout, too early, too many. */
const PASSING = new Set([408, 425, 429]);

export function classify(answer: Answer): Verdict {
  switch (answer.kind) {
    case 'accepted':
      return { next: 'delivered' };
    case 'declined': {
      const reason = `http_${answer.status}`;
      return PASSING.has(answer.status) || answer.status >= 500
        ? { next: 'retry', reason, afterMs: answer.retryAfterMs }
        : { next: 'give_up', reason };
    }
    case 'unreachable':
      return { next: 'retry', reason: 'unreachable', afterMs: null };
    case 'timed_out':
      return { next: 'retry', reason: 'timeout', afterMs: null };
    case 'unsendable':
      return { next: 'give_up', reason: answer.reason };
  }
}
