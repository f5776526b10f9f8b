import type { DefinitionVersion } from '#schemas/generated/records.ts';
import { type Definitions, versionOf } from '#shared/definitions/definitions.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';

/** The source behind a write key. */
export interface Source {
  readonly name: string;
  readonly settings: DefinitionBodies['source'];
  /** Neither the source nor this key of it is switched off. */
  readonly enabled: boolean;
  /** The definitions that its events meet. */
  readonly met: readonly DefinitionVersion[];
}

/** The sources and identity rules in force, as a request asks them. */
export class Sources {
  readonly #byKey = new Map<string, Source>();
  /** Patterns that some source allows: a preflight does not say which source it is for. */
  readonly origins: readonly string[];
  readonly rules: DefinitionBodies['identity_rules'];

  constructor(definitions: Definitions) {
    const rules = definitions.get('identity_rules', 'default');
    this.rules = rules?.body ?? defaultIdentityRules;
    const sources = definitions.list('source');
    for (const source of sources) {
      const met = [versionOf(source), ...(rules ? [versionOf(rules)] : [])];
      for (const { key, enabled } of source.body.writeKeys) {
        const settings = source.body;
        // Two with one key are refused today. Where there are from before, switching one off switches the key off.
        if (this.#byKey.get(key)?.enabled === false) continue;
        this.#byKey.set(key, { name: source.name, settings, enabled: enabled && settings.enabled, met });
      }
    }
    this.origins = sources.filter(({ body }) => body.enabled).flatMap(({ body }) => body.allowedOrigins);
  }

  get empty(): boolean {
    return this.#byKey.size === 0;
  }

  find(key: string): Source | undefined {
    return this.#byKey.get(key);
  }
}
