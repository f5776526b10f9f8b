import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import { BOM, type Row, rowAt } from '#shared/rows/row-at.ts';
import type { BulkRequest } from './bulk-request.ts';
import { type Columns, columnsOf, eventText } from './csv-columns.ts';
import { type Decision, decide, type Envelope, isObject, present, reject, unread } from './event.ts';
import { withMember } from './payload.ts';
import type { Refusal } from './refusal.ts';
import { MOST_EVENTS } from './request.ts';

/** What becomes of one row. */
export interface DecidedRow {
  /** Its number in the file, from 1; the header of a CSV has none. */
  readonly row: number;
  readonly decision: Decision;
}

type Surrounding = Omit<Envelope, 'batchLevel' | 'batchContext' | 'newId' | 'isHistory'>;

/**
 * What becomes of each row of a CSV or JSONL file, or of a part of one; or why none is taken. An empty line counts as a row, and is
 * passed over.
 * @param mostBytes what the events may come to: the name of a column is stored with each, and with what is wrong with it
 */
export function decideRows(
  bytes: Buffer,
  asked: BulkRequest,
  mostBytes: number,
  surrounding: Surrounding,
): DecidedRow[] | Refusal {
  const delimiter = asked.format === 'csv' ? asked.delimiter.charCodeAt(0) : undefined;
  let at = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  let columns: Columns | undefined;
  if (delimiter !== undefined) {
    const header = rowAt(bytes, at, delimiter);
    const read = headerOf(bytes.subarray(at, header.end), header, asked);
    if ('status' in read) return read;
    columns = read;
    at = header.next;
  }
  const decided: DecidedRow[] = [];
  let total = 0;
  for (let row = asked.firstRow; at < bytes.length; row++) {
    const span = rowAt(bytes, at, delimiter);
    const sent = bytes.subarray(at, span.end);
    at = span.next;
    if (row - asked.firstRow === MOST_EVENTS)
      return { status: 413, code: 'too_many_events', message: `A body may have ${MOST_EVENTS} rows` };
    const event = span.fault ? faults[span.fault] : eventOf(sent, columns, asked);
    if (event === undefined) continue;
    total += 'text' in event ? event.text.length : event.violations.reduce((sum, { length }) => sum + length, 0);
    if (total > mostBytes)
      return { status: 413, code: 'too_large', message: `The events of a body may have ${mostBytes} bytes` };
    const envelope = { ...surrounding, batchLevel: [], batchContext: undefined, isHistory: true };
    decided.push({ row, decision: decideRow(event, sent, row, envelope) });
  }
  return decided;
}

interface RowEvent {
  readonly text: string;
  readonly json: unknown;
}
/** What is wrong with a row, without what it holds. */
interface BadRow {
  readonly violations: readonly string[];
}

const bad = (...violations: string[]): BadRow => ({ violations });
const wrongQuotes = bad('$: a quote that is not closed, or not at the beginning or end of its field');
const faults = { too_large: bad('$: too large'), wrong_quotes: wrongQuotes };
const notUtf8 = bad('$: not UTF-8');

function headerOf(bytes: Buffer, { fault }: Row, { delimiter, columns }: BulkRequest): Columns | Refusal {
  const wrong = (message: string): Refusal => ({ status: 400, code: 'invalid_columns', message });
  if (fault || !isUtf8(bytes)) return wrong('The first line does not name columns');
  const header = cellsOf(bytes.toString('utf8'), delimiter);
  if (!header) return wrong('A quote of the first line is wrong');
  const read = columnsOf(header, columns);
  if (typeof read !== 'string') return read;
  return wrong(header.length === 1 ? `${read}; is the file delimited by ${JSON.stringify(delimiter)}?` : read);
}

/** @returns undefined for an empty line */
function eventOf(bytes: Buffer, columns: Columns | undefined, asked: BulkRequest): RowEvent | BadRow | undefined {
  if (!isUtf8(bytes)) return notUtf8;
  const line = bytes.toString('utf8');
  if (line.trim() === '') return undefined;
  const event = columns ? csvEvent(line, columns, asked.delimiter) : jsonEvent(line);
  return 'text' in event ? withDefaults(event, asked) : event;
}

function jsonEvent(line: string): RowEvent | BadRow {
  try {
    return { text: line.trim(), json: JSON.parse(line) };
  } catch {
    return bad('$: not JSON');
  }
}

function csvEvent(line: string, columns: Columns, delimiter: string): RowEvent | BadRow {
  const cells = cellsOf(line, delimiter);
  if (!cells) return wrongQuotes;
  if (cells.length !== columns.count) return bad(`$: ${cells.length} cells where the header has ${columns.count}`);
  const mistakes: string[] = [];
  const text = eventText(columns, cells, mistakes);
  return mistakes.length > 0 ? bad(...mistakes) : { text, json: JSON.parse(text) };
}

/** The cells of one row; undefined where its quotes are wrong. */
function cellsOf(row: string, delimiter: string): string[] | undefined {
  // Most rows have no quotes, and need no parser.
  if (!row.includes('"')) return row.split(delimiter);
  try {
    return parse(row, { delimiter, record_delimiter: ['\n'], relax_column_count: true, max_record_size: 0 })[0];
  } catch {
    return undefined;
  }
}

function withDefaults(event: RowEvent, { type, event: name }: BulkRequest): RowEvent {
  const said = event.json;
  if (!isObject(said)) return event;
  const given = present(said.type) ?? type;
  let { text } = event;
  if (given !== said.type) text = withMember(text, 'type', JSON.stringify(given));
  const isNamed = given !== 'track' || name === undefined || present(said.event) !== undefined;
  if (!isNamed) text = withMember(text, 'event', JSON.stringify(name));
  return text === event.text ? event : { text, json: { ...said, type: given, ...(!isNamed && { event: name }) } };
}

function decideRow(event: RowEvent | BadRow, sent: Buffer, row: number, envelope: Omit<Envelope, 'newId'>): Decision {
  const newId = (): string => ('text' in event ? rowId(envelope.source, row, event.text) : '');
  const all = { ...envelope, newId };
  const decision =
    'text' in event
      ? decide(event.text, event.json, undefined, all)
      : reject(unread(sent, envelope), {}, 'invalid_row', event.violations, all);
  if (decision.outcome !== 'rejected') return decision;
  return { ...decision, value: { ...decision.value, message: `${decision.value.message}; row ${row}` } };
}

/** The same row of the same file has the same id, however often and in whichever parts it is sent. */
const rowId = (source: string, row: number, text: string): string =>
  `row-${createHash('sha256')
    .update(JSON.stringify([source, row, text]))
    .digest('hex')
    .slice(0, 32)}`;
