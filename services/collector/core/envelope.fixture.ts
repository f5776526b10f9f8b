import { definitionKinds } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { type Decision, decide, type Envelope } from './event.ts';
import { agentOf } from './user-agent.ts';

/** A server's request to a source as it is by default, but for its currency. */
export const envelope: Envelope = {
  source: 'web',
  settings: definitionKinds.source.parse({ writeKeys: [{ key: 'a-key' }], defaultCurrency: 'EUR' }),
  rules: defaultIdentityRules,
  definitions: [{ definition: 'source/web', version: 1 }],
  receivedAt: Date.UTC(2026, 10, 24, 12),
  sentAt: undefined,
  batchLevel: [],
  batchContext: undefined,
  ip: '1.2.3.4',
  client: undefined,
  knowledge: { agentOf, locationOf: () => undefined },
  gpc: false,
  generation: 1,
  hashing: hashingWith(Buffer.from('a secret of this installation, 32+')),
  newId: () => 'made',
};

/** A decision on an event that is kept, as accepted or as rejected. */
export function keeping(...given: Parameters<typeof decide>): Exclude<Decision, { outcome: 'dropped' }> {
  const decision = decide(...given);
  if (decision.outcome === 'dropped') throw new Error(`dropped: ${decision.reason}`);
  return decision;
}
