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

/** @param path without the query string */
export function routeOf(method: string, path: string): Route {
  const bare = path.replace(/^\/v1(?=\/)/, '').replace(/\/+$/, '');
  const call = Object.hasOwn(calls, bare.slice(1)) ? calls[bare.slice(1)] : undefined;
  const settings = /^\/projects\/([^/]+)\/settings$/.exec(bare);
  const pixelled = bare.startsWith('/pixel/') ? calls[bare.slice('/pixel/'.length)] : undefined;
  const known =
    call ??
    (pixelled?.to === 'event' ? ({ to: 'pixel', type: pixelled.type } as const) : undefined) ??
    (settings
      ? ({ to: 'settings', writeKey: decode(settings[1] as string) } as const)
      : bare === '/sourceConfig'
        ? ({ to: 'source-config' } as const)
        : undefined);
  if (!known) return { to: 'nowhere' };
  if (method === 'OPTIONS') return { to: 'preflight' };
  const wanted = call ? 'POST' : 'GET';
  return method === wanted ? known : { to: 'method-not-allowed' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
