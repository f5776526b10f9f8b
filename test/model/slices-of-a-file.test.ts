import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MOST_ROW_BYTES } from '#shared/rows/row-at.ts';
import { decideRows } from '../../services/collector/core/bulk.ts';
import { envelope } from '../../services/collector/core/envelope.fixture.ts';
import { linesOf } from '../../services/console/cli/import/bad-rows.ts';
import { BEGINNING, type Place, slicesOf } from '../../services/console/cli/import/slices.ts';

const surrounding = { ...envelope, receivedAt: 0, ip: null };
type Format = 'csv' | 'jsonl';
const delimiterOf = (format: Format) => (format === 'csv' ? 44 : undefined);

/** What becomes of the rows of one body: their numbers, ids and payloads, or what is wrong. */
function rowsOf(format: Format, body: Buffer, firstRow = 1) {
  const asked = {
    format,
    delimiter: ',',
    columns: [],
    type: 'page',
    event: undefined,
    firstRow,
    dryRun: false,
  } as const;
  const rows = decideRows(body, asked, 1e9, surrounding);
  if (!Array.isArray(rows)) throw new Error(rows.message);
  return rows.flatMap(({ row, decision }) => {
    if (decision.outcome === 'dropped') return [];
    const { message_id: id, payload } = decision.value;
    return [
      { row, id, text: String(payload), wrong: decision.outcome === 'rejected' ? decision.value.violations : [] },
    ];
  });
}

/** Without the text of bad rows: of a line that is too large only the beginning is sent. */
const facts = (rows: ReturnType<typeof rowsOf>) =>
  rows.map(({ row, id, wrong, text: { length } }) => ({ row, id, wrong, length: wrong.length > 0 ? 0 : length }));

async function* inChunks(file: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < file.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield file.subarray(at, at + size);
    at += size;
  }
}

interface Cut {
  readonly chunks: readonly number[];
  /** Whether it is begun anew after each slice, as after a kill. */
  readonly leavesOff: boolean;
  readonly bytes: number;
  readonly rows: number;
}

/** The same of a file that is read in chunks and sent in slices. */
async function slicedRowsOf(format: Format, file: Buffer, { chunks, leavesOff, bytes, rows }: Cut) {
  const all: ReturnType<typeof rowsOf> = [];
  const begun = (from: Place) => slicesOf(inChunks(file, chunks), delimiterOf(format), from, { bytes, rows });
  let slices = begun(BEGINNING);
  for (;;) {
    const { done, value: slice } = await slices.next();
    if (done) return all;
    const read = rowsOf(format, Buffer.concat([slice.header, slice.bytes]), slice.firstRow);
    const bad = read.filter(({ wrong }) => wrong.length > 0).map(({ row }) => ({ row, code: '', message: '' }));
    const lines = linesOf(slice, bad, delimiterOf(format)).split('\n').filter(Boolean);
    expect(lines.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(bad.map(({ row }) => row));
    all.push(...read);
    if (leavesOff) slices = begun({ offset: slice.end, row: slice.firstRow + slice.rows });
  }
}

const cuts = fc.record({
  chunks: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  leavesOff: fc.boolean(),
  bytes: fc.integer({ min: 1, max: 60 }),
  rows: fc.integer({ min: 1, max: 5 }),
});
const piece = fc.constantFrom('a', 'u', '"', '""', ',', '\n', '\r\n', '\r', ' ', 'é', '\xff', '"a"', '"x\ny"', '\n\n');
const bytesOf = (pieces: readonly string[]): Buffer =>
  Buffer.concat(pieces.map((text) => Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8')));

test('however a CSV is cut, also one that is broken, the same rows become the same events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), fc.boolean(), cuts, async (pieces, hasBom, cut) => {
      const file = Buffer.concat([Buffer.from(`${hasBom ? '\ufeff' : ''}userId,"name"\n`), bytesOf(pieces)]);
      expect(await slicedRowsOf('csv', file, cut)).toEqual(rowsOf('csv', file));
    }),
    { numRuns: 500 },
  );
});

test('and so do those of large files, which are not held whole', async () => {
  const large = fc.constantFrom(
    'x'.repeat(80_000),
    `${'x'.repeat(700)},\n`.repeat(300),
    '"',
    '"\n',
    '\n"',
    ',"',
    '",a',
    '\n',
  );
  const largeCuts = fc.record({
    chunks: fc.constant([65_536]),
    leavesOff: fc.boolean(),
    bytes: fc.integer({ min: 1_000, max: 200_000 }),
    rows: fc.constant(2_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(large, { minLength: 5, maxLength: 20 }), largeCuts, async (pieces, cut) => {
      const file = Buffer.from(`userId,name\n${pieces.join('')}`);
      expect(facts(await slicedRowsOf('csv', file, cut))).toEqual(facts(rowsOf('csv', file)));
    }),
    { numRuns: 25 },
  );
});

test('however lines of JSON are cut, the same lines become the same events', async () => {
  const line = fc.oneof(
    fc.record({ userId: fc.string(), n: fc.double() }).map((event) => JSON.stringify(event)),
    fc.constantFrom('', ' ', '{', 'é', '[]', '{"userId":"u1"}\r'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.boolean(), cuts, async (lines, ends, cut) => {
      const file = Buffer.from(lines.join('\n') + (ends ? '\n' : ''));
      expect(await slicedRowsOf('jsonl', file, cut)).toEqual(rowsOf('jsonl', file));
    }),
    { numRuns: 300 },
  );
});

const LINE = `u2,${'b'.repeat(100)}\n`;

test.each<[name: string, format: Format, text: string]>([
  [
    'a line longer than any row',
    'jsonl',
    `{"userId":"u1"}\n{"x":"${'x'.repeat(2 * MOST_ROW_BYTES)}"}\n{"userId":"u3"}\n`,
  ],
  ['one as long as a row may be', 'csv', `userId,name\nu1,${'x'.repeat(MOST_ROW_BYTES - 3)}\r\nu2,b\n`],
  ['one longer by a byte', 'csv', `userId,name\nu1,${'x'.repeat(MOST_ROW_BYTES - 2)}\r\nu2,b\n`],
  ['a quote that is not closed', 'csv', `userId,name\nu1,"a\n${LINE.repeat(6_000)}u3,c\n`],
  ['a long row in quotes', 'csv', `userId,name\nu1,"a\n${LINE.repeat(3_000)}"\nu3,c\n`],
])('%s is the same row in any slice', async (_, format, text) => {
  const file = Buffer.from(text);
  const cut = { chunks: [70_000], leavesOff: true, bytes: 300_000, rows: 5_000 };
  expect(facts(await slicedRowsOf(format, file, cut))).toEqual(facts(rowsOf(format, file)));
});
