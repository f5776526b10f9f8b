import type { Answer } from './answers.ts';

/** A script of Segment's browser SDK, as it is sent. */
export interface Script {
  readonly plain: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** Segment's browser SDK: what a page loads, and what that loads by itself. */
export interface BrowserSdk {
  readonly script: Script;
  /** By the names of their files. */
  readonly parts: ReadonlyMap<string, Script>;
}

/**
 * Goes before the SDK's own text. It finds out by itself where it was loaded from, but only with https; over http it would ask Segment's
 * host for its settings.
 */
export const FROM_HERE =
  '!function(){var s=document.currentScript,k=s&&s.getAttribute("data-global-segment-analytics-key")||"analytics",' +
  'a=window[k]=window[k]||[];s&&!a._cdn&&(a._cdn=s.src.replace(/\\/analytics\\.js\\/v1\\/.*/,""))}();\n';

/** Seconds. The script has the same address for ever, and a new version is to be there soon; the name of a part changes with its text. */
const caching = { script: 'public, max-age=300', part: 'public, max-age=31536000, immutable' } as const;

/** What a browser asks with. */
export interface Asking {
  readonly 'accept-encoding'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

export function scriptAnswer({ plain, gzipped, etag }: Script, kind: keyof typeof caching, asking: Asking): Answer {
  const headers = {
    'cache-control': caching[kind],
    etag,
    vary: 'Accept-Encoding',
    // It is the same for everybody, so any page may have it, with `crossorigin` or without.
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  };
  if (asking['if-none-match']?.includes(etag)) return { status: 304, headers, body: '' };
  const type = { 'content-type': 'text/javascript; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return /\bgzip\b(?!\s*;\s*q=0)/i.test(asking['accept-encoding'] ?? '')
    ? { status: 200, headers: { ...headers, ...type, 'content-encoding': 'gzip' }, body: gzipped }
    : { status: 200, headers: { ...headers, ...type }, body: plain };
}
