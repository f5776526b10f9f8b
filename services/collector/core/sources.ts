import { createHash } from 'node:crypto';
import type { DefinitionVersion } from '#schemas/generated/records.ts';
import { type Definitions, type InForce, versionOf } from '#shared/definitions/definitions.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';

/** The sources in force, as a request asks them. */
export class Sources {
  readonly #byKey = new Map<string, { readonly source: InForce<'source'>; readonly enabled: boolean }>();
  readonly #origins: readonly string[];
  readonly rules: InForce<'identity_rules'>['body'];
  readonly #rulesVersion: readonly DefinitionVersion[];

  constructor(definitions: Definitions) {
    const sources = definitions.list('source');
    for (const source of sources) {
      for (const { key, enabled } of source.body.writeKeys) {
        this.#byKey.set(digest(key), { source, enabled: enabled && source.body.enabled });
      }
    }
    this.#origins = sources.filter(({ body }) => body.enabled).flatMap(({ body }) => body.allowedOrigins);
    const rules = definitions.get('identity_rules', 'default');
    this.rules = rules?.body ?? defaultIdentityRules;
    this.#rulesVersion = rules ? [versionOf(rules)] : [];
  }

  get empty(): boolean {
    return this.#byKey.size === 0;
  }

  /** Patterns that some source allows: a preflight does not say which source it is for. */
  get origins(): readonly string[] {
    return this.#origins;
  }

  /** The source of a write key. Keys are found by their hash, so the time taken says nothing about how much of one was right. */
  find(key: string): { readonly source: InForce<'source'>; readonly enabled: boolean } | undefined {
    return this.#byKey.get(digest(key));
  }

  /** The definitions that an event of this source met. */
  met(source: InForce<'source'>): DefinitionVersion[] {
    return [versionOf(source), ...this.#rulesVersion];
  }
}

const digest = (key: string): string => createHash('sha256').update(key).digest('base64');
