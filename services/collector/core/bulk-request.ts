import { isDelimiter } from '#shared/rows/row-at.ts';
import type { Refusal } from './refusal.ts';
import { type EventType, isEventType } from './route.ts';

/** How a file is to be read, as the address of its request says. */
export interface BulkRequest {
  readonly format: 'csv' | 'jsonl';
  /** Of CSV; one character of ASCII. */
  readonly delimiter: string;
  /** Of CSV: `NAME=FIELD`. */
  readonly columns: readonly string[];
  /** Of rows that do not say theirs. */
  readonly type: EventType | undefined;
  readonly event: string | undefined;
  /** Number of the first row of this body in its file. */
  readonly firstRow: number;
  /** Decide and answer, and keep nothing. */
  readonly dryRun: boolean;
}

const formats: Readonly<Record<string, BulkRequest['format']>> = {
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  'text/csv': 'csv',
  'application/x-ndjson': 'jsonl',
  'application/ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'application/x-jsonlines': 'jsonl',
};

/** @returns what is asked for, or what is wrong with it */
export function bulkRequestOf(query: string | undefined, contentType: string | undefined): BulkRequest | Refusal {
  const asked = new URLSearchParams(query);
  const named = (asked.get('format') ?? contentType?.split(';', 1)[0] ?? '').trim().toLowerCase();
  const format = Object.hasOwn(formats, named) ? formats[named] : undefined;
  if (!format) return wrong('The format is told by ?format=csv or jsonl, or by the content type');
  const delimiter = asked.get('delimiter') ?? ',';
  if (!isDelimiter(delimiter)) return wrong('The delimiter is one character of ASCII, and no quote');
  const type = asked.get('type') || undefined;
  if (type !== undefined && !isEventType(type)) return wrong('There is no such type of event');
  const firstRow = Number(asked.get('firstRow') ?? 1);
  if (!Number.isSafeInteger(firstRow) || firstRow < 1) return wrong('firstRow is a whole number from 1');
  return {
    format,
    delimiter,
    columns: asked.getAll('column'),
    type,
    event: asked.get('event') || undefined,
    firstRow,
    dryRun: asked.get('dryRun') === 'true',
  };
}

const wrong = (message: string): Refusal => ({ status: 400, code: 'invalid_parameter', message });
