/** What Segment's browser SDK asks for before it sends: nothing to load, events to this host. */
export const segmentSettings = (writeKey: string): unknown => ({
  integrations: { 'Segment.io': { apiKey: writeKey } },
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
