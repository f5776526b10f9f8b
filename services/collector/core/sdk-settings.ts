import type { ReachedAt } from './reached-at.ts';

/** What Segment's browser SDK asks for before it sends: nothing to load, events to this host, and its own metrics to nobody. */
export const segmentSettings = (writeKey: string, { host, protocol }: ReachedAt): unknown => ({
  integrations: { 'Segment.io': { apiKey: writeKey, apiHost: `${host}/v1`, protocol } },
  metrics: { sampleRate: 0 },
});

/** What RudderStack's browser SDK asks for before it sends. */
export const rudderSourceConfig = (writeKey: string, { name }: { readonly name: string }): unknown => ({
  source: {
    id: name,
    name,
    writeKey,
    enabled: true,
    workspaceId: 'tributary',
    config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
    destinations: [],
    connections: [],
  },
});
