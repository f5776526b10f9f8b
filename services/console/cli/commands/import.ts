import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { readDefinitions } from '#shared/definitions/apply.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import type { Connections } from '../connections.ts';
import { BadRowsFile, linesOf } from '../import/bad-rows.ts';
import { type ImportState, readState, writeState } from '../import/import-state.ts';
import { digestOf, type Plan, planOf } from '../import/plan.ts';
import { type Progress, paceOf, progressLine } from '../import/progress.ts';
import { sendSlice } from '../import/send-slice.ts';
import { BEGINNING, slicesOf } from '../import/slices.ts';
import { countsText, NONE, plus } from '../import/totals.ts';
import type { Output, Speech } from '../output.ts';
import { Trouble } from '../trouble.ts';

/** Sends the rows of a file to the collector, slice by slice, and goes on where it was when it is started again. */
export async function importFile(
  connections: Connections,
  [file]: readonly string[],
  { json }: Speech,
): Promise<Output> {
  const { settings } = connections;
  const plan = planOf(file, settings);
  const isPiped = plan.file === '-';
  const fileNow = isPiped ? undefined : factsOf(plan.file);
  const writeKey = settings.writeKey || (await writeKeyOf(connections, settings.source));

  // What is piped in cannot be looked at again, and a dry run leaves no trace.
  const statePath = !fileNow || settings.dryRun ? undefined : settings.state || `${plan.file}.tributary-import.json`;
  const identity = {
    file: fileNow ?? { size: 0, modified: 0 },
    settings: digestOf(plan, settings.collectorUrl, writeKey),
  };
  let state: ImportState = { version: 1, ...identity, next: BEGINNING, rejects: 0, totals: NONE, done: false };
  const before = statePath && !settings.restart ? readState(statePath, identity) : undefined;
  if (before?.done) return outcome(plan, before, 'was imported before; --restart imports it again');
  if (before) state = before;
  if (fileNow && settings.rejects && isSame(plan.file, settings.rejects))
    throw new Trouble(`${settings.rejects} is the file that is to be imported`, '--rejects FILE is written anew', 2);
  const badRows = settings.rejects ? new BadRowsFile(settings.rejects, state.rejects) : undefined;

  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const stopped = once(stop.signal, 'abort').then(() => undefined);
  const { chunks, bytesRead, close } = opened(plan);
  const slices = slicesOf(chunks, plan.delimiter, state.next);
  const report = reporter(json, fileNow?.size, bytesRead);
  const began = { at: performance.now(), row: state.next.row };
  const target = { url: settings.collectorUrl, writeKey, query: plan.query };
  let next = slices.next();
  try {
    for (;;) {
      const read = await Promise.race([next.catch(unreadable(plan.file)), stopped]);
      if (!read || read.done || stop.signal.aborted) break;
      const slice = read.value;
      // The next one is read while this one is under way.
      next = slices.next();
      next.catch(() => undefined);
      const answer = await sendSlice(slice, target, stop.signal);
      if (!answer) break;
      badRows?.add(linesOf(slice, answer.rows, plan.delimiter));
      state = {
        ...state,
        next: { offset: slice.end, row: slice.firstRow + slice.rows },
        rejects: badRows?.bytes ?? 0,
        totals: plus(state.totals, answer),
      };
      if (statePath) writeState(statePath, state);
      report.show(state);
    }
  } finally {
    close();
    report.end();
  }
  const since = { rows: state.next.row - began.row, seconds: (performance.now() - began.at) / 1_000 };
  if (stop.signal.aborted) {
    const advice = statePath ? 'the same command goes on there' : 'what has been sent counts once if it is sent again';
    throw new Trouble(`stopped before row ${state.next.row}`, advice);
  }
  if (statePath) writeState(statePath, { ...state, done: true });
  return outcome(plan, state, settings.dryRun ? 'was looked at, and nothing of it imported' : 'is imported', since);
}

function factsOf(file: string): ImportState['file'] {
  try {
    const { size, mtimeMs } = statSync(file);
    return { size, modified: mtimeMs };
  } catch (error) {
    throw new Trouble(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, '', 2);
  }
}

/** Whether two paths lead to one file, by whatever links. */
function isSame(file: string, other: string): boolean {
  const there = statSync(other, { throwIfNoEntry: false });
  const { dev, ino } = statSync(file);
  return there?.ino === ino && there.dev === dev;
}

async function writeKeyOf(connections: Connections, source: string): Promise<string> {
  if (!source) throw new Trouble('of which source are the rows?', '--source NAME, or --write-key KEY', 2);
  const record = (await readDefinitions(await connections.home())).get(`source/${source}`);
  if (!record || record.deleted)
    throw new Trouble(`there is no source ${source}`, '`tributary definitions` lists them', 2);
  const body = definitionKinds.source.parse(JSON.parse(record.body));
  const key = body.writeKeys.find(({ enabled }) => enabled)?.key;
  if (!body.enabled || key === undefined)
    throw new Trouble(`the source ${source} has no write key that is enabled`, '', 1);
  return key;
}

/** The unpacked file, and how much of it was read as it lies there. */
function opened({ file, isPacked }: Plan): {
  chunks: AsyncIterable<Buffer>;
  bytesRead: () => number;
  close: () => void;
} {
  const stream = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  // What is broken in the file is thrown to whoever reads the last of it.
  const chunks = isPacked ? pipeline(Readable.from(counted()), createGunzip(), () => undefined) : counted();
  return { chunks, bytesRead: () => bytes, close: () => void stream.destroy() };
}

const unreadable =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw new Trouble(`${file} cannot be read (${error.code ?? error.message})`, '');
  };

/** Shows how far it is: a line that changes on a terminal, lines of JSON for a machine, else nothing. */
function reporter(json: boolean, of: number | undefined, bytesRead: () => number) {
  const { stderr } = process;
  // Counted from the first slice on: what was passed over to get there says nothing about the pace.
  let first: { readonly bytes: number; readonly row: number; readonly at: number } | undefined;
  let shownAt = 0;
  return {
    show({ next, totals: { accepted, rejected } }: ImportState): void {
      const at = performance.now();
      const bytes = bytesRead();
      first ??= { bytes, row: next.row, at };
      if ((!json && !stderr.isTTY) || at - shownAt < (json ? 1_000 : 200)) return;
      shownAt = at;
      const since = { rows: next.row - first.row, bytes: bytes - first.bytes, seconds: (at - first.at) / 1_000 };
      const progress: Progress = { bytes, of, accepted, rejected, since };
      stderr.write(
        json
          ? `${JSON.stringify({ row: next.row, bytes, of, accepted, rejected, ...paceOf(progress) })}\n`
          : `\r${progressLine(progress)}\u001b[K`,
      );
    },
    end(): void {
      if (!json && stderr.isTTY && shownAt > 0) stderr.write('\n');
    },
  };
}

/** All that is to say at the end. */
function outcome(
  { file }: Plan,
  { next, totals }: Pick<ImportState, 'next' | 'totals'>,
  what: string,
  { rows, seconds }: { readonly rows: number; readonly seconds: number } = { rows: 0, seconds: 0 },
): Output {
  const { accepted, rejected, dropped, codes, flags } = totals;
  const pace = seconds > 0 ? `, ${Math.round(rows / seconds)} rows/s` : '';
  const text = [
    `${file === '-' ? 'the input' : file} ${what}`,
    `${accepted} rows accepted, ${rejected} rejected${rejected > 0 ? ` (${countsText(codes)})` : ''}${dropped > 0 ? `, ${dropped} dropped as the source wishes` : ''}${pace}`,
    ...(Object.keys(flags).length > 0 ? [`of those accepted: ${countsText(flags)}`] : []),
  ];
  return {
    json: { file, rows: next.row - 1, ...totals, seconds },
    text: text.join('\n'),
    exitCode: rejected > 0 ? 3 : 0,
  };
}
