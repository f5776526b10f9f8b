import { saidByProxy } from './client-address.ts';

/** How a sender reached this collector. */
export interface ReachedAt {
  /** With its port, where it has one. */
  readonly host: string;
  readonly protocol: 'http' | 'https';
}

const NAME = /^(?:[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * A sender writes `Host` as it likes, so what is made of it is for that sender alone, and never for a cache. The collector itself speaks
 * plain HTTP; `https` is what a trusted proxy says.
 * @returns undefined: `Host` is not the name or address of a host
 */
export function reachedAt(
  host: string | undefined,
  forwardedProto: string | undefined,
  proxies: number,
): ReachedAt | undefined {
  if (host === undefined || !NAME.test(host)) return undefined;
  return { host, protocol: saidByProxy(forwardedProto, proxies)?.toLowerCase() === 'https' ? 'https' : 'http' };
}
