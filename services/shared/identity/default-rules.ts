import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';

/** In force where no `identity_rules/default` is defined: highest priority first. One person has one user id. */
export const defaultIdentityRules: DefinitionBodies['identity_rules'] = definitionKinds.identity_rules.parse({
  types: [
    { type: 'user_id', limit: 1 },
    { type: 'email', limit: 2, limitDays: 365 },
    { type: 'phone', limit: 2, limitDays: 365 },
    { type: 'external_id' },
    { type: 'anonymous_id', limit: 10, limitDays: 30 },
    { type: 'device_id', limit: 5, limitDays: 365, links: 'weak' },
    { type: 'group_id', limit: 1, links: 'lookup' },
  ],
});
