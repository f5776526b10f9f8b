import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BrowserSdk, FROM_HERE, type Script } from '../core/browser-sdk.ts';

const require = createRequire(import.meta.url);
const standalone = require.resolve('@segment/analytics-next/dist/umd/standalone.js');

/** Reads Segment's browser SDK, as its package has it for pages that load it by a tag. */
export function readBrowserSdk(): BrowserSdk {
  const folder = dirname(standalone);
  const parts = readdirSync(folder).filter((name) => /\.bundle\.[0-9a-f]+\.js$/.test(name));
  return {
    script: scriptOf(Buffer.concat([Buffer.from(FROM_HERE), readFileSync(standalone)])),
    parts: new Map(parts.map((name) => [name, scriptOf(readFileSync(join(folder, name)))])),
  };
}

/** Its tag is weak: it stands for the text, packed or not. */
const scriptOf = (plain: Buffer): Script => ({
  plain,
  gzipped: gzipSync(plain, { level: 9 }),
  etag: `W/"${hash('sha256', plain).slice(0, 32)}"`,
});
