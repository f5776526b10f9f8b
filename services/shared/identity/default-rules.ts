import type { DefinitionBodies } from '#shared/definitions/kinds.ts';

/** In force where no `identity_rules/default` is defined: highest priority first. One person has one user id. */
export const defaultIdentityRules: DefinitionBodies['identity_rules'] = {
  types: [
    { type: 'user_id', limit: 1, links: 'strong' },
    { type: 'email', limit: 5, links: 'strong' },
    { type: 'phone', limit: 5, links: 'strong' },
    { type: 'external_id', limit: 5, links: 'strong' },
    { type: 'anonymous_id', limit: 5, links: 'strong' },
    { type: 'device_id', limit: 5, links: 'strong' },
    { type: 'group_id', limit: 1, links: 'lookup' },
  ],
  sharedFrom: 8,
  blockedValues: [],
};
