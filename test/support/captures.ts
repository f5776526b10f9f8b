import { readFileSync } from 'node:fs';

/** A request that a real SDK has sent; see test/data/README.md. */
export interface Capture {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | { readonly messageId?: string; readonly batch?: readonly { readonly messageId: string }[] };
}

export const captures = readFileSync(new URL('../data/captures.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Capture);
