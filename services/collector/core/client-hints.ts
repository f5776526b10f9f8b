import type { IncomingHttpHeaders } from 'node:http';
import { objectOf } from './object-of.ts';

/** What a browser says of itself beside its user agent, whose text is frozen: User-Agent Client Hints, by the names of `navigator.userAgentData`. */
export interface ClientHints {
  readonly brands: readonly Brand[];
  readonly mobile: boolean | undefined;
  readonly platform: string;
  readonly platformVersion: string;
  readonly model: string;
}
interface Brand {
  readonly brand: string;
  readonly version: string;
}

const MOST_TEXT = 128;
const MOST_BRANDS = 10;

/** Of a value that an SDK puts into `context.userAgentData`. Undefined where it says nothing. */
export function hintsOfContext(userAgentData: unknown): ClientHints | undefined {
  const { brands, fullVersionList, mobile, platform, platformVersion, model } = objectOf(userAgentData);
  return hints({
    brands: brandsOf(fullVersionList) ?? brandsOf(brands) ?? [],
    mobile: typeof mobile === 'boolean' ? mobile : undefined,
    platform: textOf(platform),
    platformVersion: textOf(platformVersion),
    model: textOf(model),
  });
}

/** Of a browser's own request: the headers `Sec-CH-UA…`. Undefined where they say nothing. */
export function hintsOfHeaders(headers: IncomingHttpHeaders): ClientHints | undefined {
  const of = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  const mobile = of('sec-ch-ua-mobile');
  return hints({
    brands: brandsIn(of('sec-ch-ua-full-version-list') || of('sec-ch-ua')),
    mobile: mobile === '?1' ? true : mobile === '?0' ? false : undefined,
    platform: quoted(of('sec-ch-ua-platform')),
    platformVersion: quoted(of('sec-ch-ua-platform-version')),
    model: quoted(of('sec-ch-ua-model')),
  });
}

function hints(found: ClientHints): ClientHints | undefined {
  const { brands, mobile, platform, platformVersion, model } = found;
  return brands.length > 0 || mobile !== undefined || platform || platformVersion || model ? found : undefined;
}

function brandsOf(value: unknown): Brand[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value
    .slice(0, MOST_BRANDS)
    .map(objectOf)
    .map(({ brand, version }) => ({ brand: textOf(brand), version: textOf(version) }));
}

/** `"Chromium";v="131", "Not A;Brand";v="8"` */
const brandsIn = (header: string): Brand[] =>
  [...header.slice(0, 1_024).matchAll(/"([^"]{0,128})";v="([^"]{0,128})"/g)]
    .slice(0, MOST_BRANDS)
    .map(([, brand = '', version = '']) => ({ brand, version }));

const quoted = (header: string): string => textOf(/^"([^"]*)"$/.exec(header)?.[1]);

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MOST_TEXT).toWellFormed() : '');
