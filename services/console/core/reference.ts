/** How a profile is asked for: by an identifier as it was given, or by a profile id, also a former one. */
export type Reference =
  | { readonly by: 'identifier'; readonly type: string; readonly value: string }
  | { readonly by: 'profile_id'; readonly profileId: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reads `type:value`. An external id has its own type: `external_id:crm:42`. Undefined when it is neither. */
export function parseReference(text: string): Reference | undefined {
  const match = /^(external_id:[^:]+|[^:]+):(.+)$/s.exec(text);
  if (!match) return undefined;
  const [, type, value] = match as unknown as [string, string, string];
  if (type === 'external_id') return undefined;
  if (type !== 'profile_id') return { by: 'identifier', type, value };
  return UUID.test(value) ? { by: 'profile_id', profileId: value.toLowerCase() } : undefined;
}
