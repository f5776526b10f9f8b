import { type DefinitionBodies, definitionKinds } from '#shared/definitions/kinds.ts';

const types = ['user_id', 'email', 'phone', 'external_id', 'anonymous_id', 'device_id', 'group_id'];

/** In force where no `identity_rules/default` is defined: highest priority first, each as usual. */
export const defaultIdentityRules: DefinitionBodies['identity_rules'] = definitionKinds.identity_rules.parse({
  types: types.map((type) => ({ type })),
});
