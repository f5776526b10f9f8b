/** What came of one attempt to send. */
export type Answer = {
  /** Names of the fields that went out, sorted; empty when nothing did. */
  readonly fields: readonly string[];
} & (
  | { readonly kind: 'accepted'; readonly status: number | null; readonly body: string | null }
  | {
      readonly kind: 'declined';
      readonly status: number;
      readonly body: string | null;
      /** How long the other side asks to be left alone, milliseconds. */
      readonly retryAfterMs: number | null;
    }
  /** No answer: the code says why, such as ECONNREFUSED. */
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timed_out' }
  /** Our own side cannot make a request of it; trying again would not help. */
  | { readonly kind: 'unsendable'; readonly reason: string; readonly message: string }
);
