import type { DecidedRow } from './bulk.ts';
import { preflightHeaders } from './origins.ts';
import { NOT_KNOWN_YET, type Refusal } from './refusal.ts';
import type { Source, Sources } from './sources.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** The status to count, where the answer has to hide it. */
  readonly counted?: number;
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** What every SDK takes for success: this status with this body. */
export const SUCCESS: Answer = { status: 200, headers: JSON_TYPE, body: '{"success":true}' };

/** What became of the rows of a file: those that were not accepted one by one. Nothing of what they hold. */
export function bulkAnswer(rows: readonly DecidedRow[], dryRun: boolean): Answer {
  const rejected: { row: number; code: string; message: string }[] = [];
  const flags: Partial<Record<string, number>> = {};
  let accepted = 0;
  for (const { row, decision } of rows) {
    if (decision.outcome === 'rejected') {
      const { violations } = decision.value;
      rejected.push({ row, code: decision.reason, message: violations.join('; ') });
    } else if (decision.outcome === 'accepted') {
      accepted++;
      for (const flag of decision.value.flags) flags[flag] = (flags[flag] ?? 0) + 1;
    }
  }
  const dropped = rows.length - accepted - rejected.length;
  const body = { accepted, rejected: rejected.length, dropped, flags, rows: rejected, dryRun };
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) };
}

/** SDKs look for `code` and `message`; one tries for ever without them. Those that are told to come back are told when. */
export const refusal = ({ status, code, message, retryAfter = 2 }: Refusal): Answer => ({
  status,
  headers: status === 503 || status === 429 ? { ...JSON_TYPE, 'retry-after': String(retryAfter) } : JSON_TYPE,
  body: JSON.stringify({ code, message, error: message }),
});

export const notKnownYet: Answer = refusal(NOT_KNOWN_YET);

/** What did not even become a request, by the code of Node's error. */
export function toBroken(code: string | undefined): Answer {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal({ status: 408, code: 'timed_out', message: 'The request did not arrive in time' });
    case 'HPE_HEADER_OVERFLOW':
      return refusal({ status: 431, code: 'headers_too_large', message: 'The headers are too large' });
    default:
      return refusal({ status: 400, code: 'invalid_http', message: 'This is not HTTP' });
  }
}

/** Somebody takes us for a proxy. */
export const toConnect: Answer = refusal({
  status: 405,
  code: 'method_not_allowed',
  message: 'Nothing is passed on to elsewhere',
});

/** @param origin undefined where no source allows it */
export const toPreflight = (origin: string | undefined, wanted: string | undefined): Answer => ({
  status: 204,
  headers: origin === undefined ? { vary: 'Origin' } : preflightHeaders(origin, wanted),
  body: '',
});

/** What an SDK asks for before it sends; none of it is secret. Each asks anew: it may be another's tomorrow. */
export const settingsAnswer = (settings: unknown): Answer => ({
  status: 200,
  headers: { ...JSON_TYPE, 'cache-control': 'no-store' },
  body: JSON.stringify(settings),
});

/** What an SDK loads, for a write key that may be used. */
export function forKey(
  sources: Sources,
  key: string | undefined,
  answer: (key: string, source: Source) => Answer,
): Answer {
  const source = key === undefined ? undefined : sources.find(key);
  if (sources.empty) return notKnownYet;
  return source?.enabled && key !== undefined
    ? answer(key, source)
    : refusal({ status: 404, code: 'unknown_write_key', message: 'No enabled source has this write key' });
}

/** A mistake of ours: SDKs come back. */
export const internalError: Answer = {
  status: 500,
  headers: JSON_TYPE,
  body: JSON.stringify({ code: 'internal_error', message: 'Something went wrong', error: 'Something went wrong' }),
};
