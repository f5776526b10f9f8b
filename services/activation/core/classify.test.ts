import { describe, expect, it } from 'vitest';
import { classify, type Verdict } from './classify.ts';

const declined = (status: number, retryAfterMs: number | null = null) =>
  classify({ kind: 'declined', status, body: null, retryAfterMs, fields: [] });

describe('what to do after an answer', () => {
  it('takes what was accepted as delivered, also where no request was needed', () => {
    expect(classify({ kind: 'accepted', status: null, body: null, fields: [] })).toEqual({ next: 'delivered' });
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 529])('tries again after %i', (status) => {
    expect(declined(status)).toEqual({ next: 'retry', reason: `http_${status}`, afterMs: null });
  });

  it.each([301, 302, 400, 401, 403, 404, 409, 410, 413, 422])('gives up after %i', (status) => {
    expect(declined(status)).toEqual({ next: 'give_up', reason: `http_${status}` });
  });

  it('passes on how long it is asked to wait', () => {
    expect(declined(429, 7_000)).toEqual({ next: 'retry', reason: 'http_429', afterMs: 7_000 } satisfies Verdict);
  });

  it('tries again where there was no answer', () => {
    expect(classify({ kind: 'unreachable', code: 'ECONNREFUSED', fields: [] })).toMatchObject({ next: 'retry' });
    expect(classify({ kind: 'timed_out', fields: [] })).toMatchObject({ next: 'retry', reason: 'timeout' });
  });

  it('gives up what cannot be sent', () => {
    const answer = { kind: 'unsendable', reason: 'invalid_payload', message: '', fields: [] } as const;
    expect(classify(answer)).toEqual({ next: 'give_up', reason: 'invalid_payload' });
  });
});
