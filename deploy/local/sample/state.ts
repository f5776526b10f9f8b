import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What the sample remembers in the data directory, so that a second start sends nothing again. */
export interface SampleState {
  readonly seed: number;
  /** Rows of the purchase history. */
  readonly rows: number;
  readonly visitors: number;
  /** When the load began, milliseconds since 1970: the same click stream follows from it. */
  readonly begunAt: number;
  /** What was acknowledged, once all was sent. */
  readonly acknowledged: number | null;
  readonly loadMs: number | null;
  readonly receiverPort: number;
  readonly sharedSecret: string;
}

export function readState(file: string): SampleState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SampleState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeState(file: string, state: SampleState): void {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.part`;
  writeFileSync(part, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(part, file);
}

export const newSecret = (): string => randomBytes(24).toString('hex');
