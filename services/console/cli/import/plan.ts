import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { isDelimiter } from '#shared/rows/row-at.ts';
import type { CliSettings } from '../config.ts';
import { Trouble } from '../trouble.ts';

/** How a file is to be read. */
export interface Plan {
  readonly file: string;
  readonly isPacked: boolean;
  /** Of CSV, its code. */
  readonly delimiter: number | undefined;
  /** For the collector. */
  readonly query: URLSearchParams;
}

const formats = ['csv', 'jsonl'];
const endings: Readonly<Record<string, string>> = { csv: 'csv', tsv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl' };
const mapping = z.record(z.string(), z.string().nullable());

/** @throws Trouble when it was asked wrongly */
export function planOf(file: string | undefined, settings: CliSettings): Plan {
  if (!file) throw new Trouble('which file?', 'tributary import FILE; `-` reads what is piped in', 2);
  const isPacked = file.endsWith('.gz');
  const ending = /\.([a-z]+)$/i.exec(isPacked ? file.slice(0, -3) : file)?.[1]?.toLowerCase() ?? '';
  const format = settings.format || (Object.hasOwn(endings, ending) ? endings[ending] : undefined);
  if (!format || !formats.includes(format)) throw new Trouble('which format?', '--format csv, or --format jsonl', 2);
  const query = new URLSearchParams({ format });
  const delimiter =
    settings.delimiter === 'tab' || (!settings.delimiter && ending === 'tsv') ? '\t' : settings.delimiter || ',';
  if (format === 'csv') {
    if (!isDelimiter(delimiter))
      throw new Trouble('the delimiter must be one character of ASCII', '--delimiter ";", or --delimiter tab', 2);
    query.set('delimiter', delimiter);
    for (const column of [...columnsIn(settings.columns), ...settings.column]) query.append('column', column);
  }
  if (settings.type) query.set('type', settings.type);
  if (settings.event) query.set('event', settings.event);
  if (settings.dryRun) query.set('dryRun', 'true');
  return { file, isPacked, delimiter: format === 'csv' ? delimiter.charCodeAt(0) : undefined, query };
}

function columnsIn(file: string): string[] {
  if (!file) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Trouble(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, '', 2);
  }
  const read = mapping.safeParse(yamlOf(text));
  if (!read.success) throw new Trouble(`${file} does not map names of columns to fields`, 'Customer No: userId', 2);
  return Object.entries(read.data).map(([name, field]) => `${name}=${field ?? ''}`);
}

function yamlOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Equal for two imports that make the same events of a file, at the same place. Says nothing of the key. */
export const digestOf = ({ query }: Plan, url: string, writeKey: string): string =>
  createHash('sha256')
    .update(JSON.stringify([url, writeKey, query.toString()]))
    .digest('hex');
