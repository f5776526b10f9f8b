import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

export interface PageFile {
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

/**
 * The live page's files, by path: `/` and `/page/<name>`. They hold no data, so that nobody need show a token for them.
 * @param collectorUrl the only address besides its own that the page may speak to
 */
export function pageFiles(directory: string, collectorUrl: string): ReadonlyMap<string, PageFile> {
  const elsewhere = collectorUrl === '' ? '' : ` ${new URL(collectorUrl).origin}`;
  const headers = {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src 'self'${elsewhere}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  };
  const files = new Map<string, PageFile>();
  for (const name of readdirSync(directory)) {
    const type = TYPES.get(extname(name));
    if (!type) continue;
    const path = name === 'index.html' ? '/' : `/page/${name}`;
    files.set(path, { type, body: readFileSync(join(directory, name), 'utf8'), headers });
  }
  return files;
}
