import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Trouble } from '../trouble.ts';

const counts = z.record(z.string(), z.number());
const shape = z.object({
  version: z.literal(1),
  file: z.object({ size: z.number(), modified: z.number() }),
  /** Digest of what decides on what a row becomes, and where it goes. */
  settings: z.string(),
  next: z.object({ offset: z.number(), row: z.number() }),
  /** Bytes of the file of bad rows. */
  rejects: z.number(),
  totals: z.object({ accepted: z.number(), rejected: z.number(), dropped: z.number(), codes: counts, flags: counts }),
  done: z.boolean(),
});

/** How far a file was imported; beside it, so that whoever imports it again goes on. Nothing of what it holds. */
export type ImportState = Readonly<z.infer<typeof shape>>;

/** What must be as it was for an import to go on. */
export type Identity = Pick<ImportState, 'file' | 'settings'>;

/** @returns undefined where there is none. @throws Trouble when it is of another file, or of the same with other settings */
export function readState(path: string, { file, settings }: Identity): ImportState | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Trouble(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, '');
  }
  const state = stateIn(text);
  if (!state) throw refusal(`${path} does not say how far the import was`);
  if (state.file.size !== file.size || state.file.modified !== file.modified)
    throw refusal('the file has changed since a part of it was imported');
  if (state.settings !== settings)
    throw refusal(
      'a part of the file was imported with other settings (format, columns, type, event, key or collector)',
    );
  return state;
}

function stateIn(text: string): ImportState | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const refusal = (message: string): Trouble =>
  new Trouble(message, '--restart begins anew; what was imported and is the same row with the same number counts once');

/** Whoever is killed leaves the state before, or this one. @throws Trouble */
export function writeState(path: string, state: ImportState): void {
  try {
    const beside = `${path}.new`;
    writeFileSync(beside, JSON.stringify(state), { mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    throw new Trouble(
      `how far the import is cannot be written to ${path} (${(error as NodeJS.ErrnoException).code})`,
      '--state FILE puts it elsewhere',
    );
  }
}
