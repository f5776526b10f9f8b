/** The calls of the tracking API. */
const types = ['identify', 'track', 'page', 'screen', 'group', 'alias'] as const;
export type EventType = (typeof types)[number];

export const isEventType = (value: unknown): value is EventType => (types as readonly unknown[]).includes(value);

/** What a request asks for. */
export type Route =
  | { readonly to: 'event'; readonly type: EventType }
  | { readonly to: 'batch' }
  /** A file of rows, or a part of one. */
  | { readonly to: 'bulk' }
  /** An event in the address of an image. */
  | { readonly to: 'pixel'; readonly type: EventType }
  | { readonly to: 'webhook' }
  /** Segment's browser SDK: its own metrics, of no use here. */
  | { readonly to: 'sdk-metrics' }
  | { readonly to: 'settings'; readonly writeKey: string }
  | { readonly to: 'source-config' }
  /** Segment's browser SDK itself. */
  | { readonly to: 'script'; readonly writeKey: string }
  /** What the SDK loads by itself. */
  | { readonly to: 'script-part'; readonly name: string }
  | { readonly to: 'preflight' }
  | { readonly to: 'method-not-allowed' }
  | { readonly to: 'nowhere' };

const calls: Readonly<Record<string, Route>> = {
  identify: { to: 'event', type: 'identify' },
  track: { to: 'event', type: 'track' },
  page: { to: 'event', type: 'page' },
  screen: { to: 'event', type: 'screen' },
  group: { to: 'event', type: 'group' },
  alias: { to: 'event', type: 'alias' },
  i: { to: 'event', type: 'identify' },
  t: { to: 'event', type: 'track' },
  p: { to: 'event', type: 'page' },
  s: { to: 'event', type: 'screen' },
  g: { to: 'event', type: 'group' },
  a: { to: 'event', type: 'alias' },
  batch: { to: 'batch' },
  b: { to: 'batch' },
  import: { to: 'batch' },
  bulk: { to: 'bulk' },
  webhook: { to: 'webhook' },
  m: { to: 'sdk-metrics' },
};

/** What browser SDKs load, by its path; with what is in the brackets. */
const loads: readonly (readonly [RegExp, (part: string) => Route])[] = [
  [/^\/projects\/([^/]+)\/settings$/, (writeKey) => ({ to: 'settings', writeKey })],
  [/^\/sourceConfig()$/, () => ({ to: 'source-config' })],
  [/^\/analytics\.js\/v1\/([^/]+)\/analytics\.min\.js$/, (writeKey) => ({ to: 'script', writeKey })],
  [/^\/analytics-next\/bundles\/([^/]+)$/, (name) => ({ to: 'script-part', name })],
];

function loaded(path: string): Route | undefined {
  for (const [pattern, route] of loads) {
    const part = pattern.exec(path)?.[1];
    if (part !== undefined) return route(decode(part));
  }
  return undefined;
}

/** @param path without the query string */
export function routeOf(method: string, path: string): Route {
  // RudderStack's browser SDK has an address of its own for what it sends as a page goes away.
  const bare = withoutSlashes(path.replace(/^(?:\/beacon)?\/v1(?=\/)/, ''));
  const call = Object.hasOwn(calls, bare.slice(1)) ? calls[bare.slice(1)] : undefined;
  const pixelled = bare.startsWith('/pixel/') ? calls[bare.slice('/pixel/'.length)] : undefined;
  const known =
    call ?? (pixelled?.to === 'event' ? ({ to: 'pixel', type: pixelled.type } as const) : undefined) ?? loaded(bare);
  if (!known) return { to: 'nowhere' };
  if (method === 'OPTIONS') return { to: 'preflight' };
  const wanted = call ? 'POST' : 'GET';
  return method === wanted ? known : { to: 'method-not-allowed' };
}

/** Not by `/\/+$/`, which begins anew at each slash of a path that has thousands. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
