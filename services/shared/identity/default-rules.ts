import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';

/** In force where no `identity_rules/default` is defined: highest priority first. One person has one user id. */
export const defaultIdentityRules: DefinitionBodies['identity_rules'] = definitionKinds.identity_rules.parse({
  types: [
    { type: 'user_id', limit: 1 },
    { type: 'email' },
    { type: 'phone' },
    { type: 'external_id' },
    { type: 'anonymous_id' },
    { type: 'device_id' },
    { type: 'group_id', limit: 1, links: 'lookup' },
  ],
});
