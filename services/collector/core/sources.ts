import { hash } from 'node:crypto';
import type { DefinitionVersion } from '#schemas/generated/records.ts';
import { withinRanges } from '#shared/definitions/address-ranges.ts';
import { type Definitions, versionOf } from '#shared/definitions/definitions.ts';
import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import { type WebhookRules, webhookRules } from './webhook.ts';

/** The source behind a write key. */
export interface Source {
  readonly name: string;
  readonly settings: DefinitionBodies['source'];
  /** Neither the source nor this key of it is switched off. */
  readonly enabled: boolean;
  /** The definitions that its events meet. */
  readonly met: readonly DefinitionVersion[];
  /** Stands for the write key, and tells nothing of it. */
  readonly keyDigest: string;
  /** Whether it may send from an address, null where that is not known. */
  readonly allowsAddress: (address: string | null) => boolean;
  /** What becomes of webhooks; undefined where the source takes events. */
  readonly webhook: WebhookRules | undefined;
}

const digestOf = (key: string): string => hash('sha256', key);

/** The sources and identity rules in force, as a request asks them. */
export class Sources {
  /** By digest: how long a look-up takes tells nothing of the keys that there are. */
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
      const settings = source.body;
      const isWithin = withinRanges(settings.allowedAddresses);
      const allowsAddress = (address: string | null): boolean =>
        settings.allowedAddresses.length === 0 || (address !== null && isWithin(address));
      const webhook = settings.webhook && webhookRules(settings.webhook);
      for (const { key, enabled } of settings.writeKeys) {
        const keyDigest = digestOf(key);
        // Two with one key are refused today. Where there are from before, switching one off switches the key off.
        if (this.#byKey.get(keyDigest)?.enabled === false) continue;
        this.#byKey.set(keyDigest, {
          name: source.name,
          settings,
          enabled: enabled && settings.enabled,
          met,
          keyDigest,
          allowsAddress,
          webhook,
        });
      }
    }
    this.origins = sources.filter(({ body }) => body.enabled).flatMap(({ body }) => body.allowedOrigins);
  }

  get empty(): boolean {
    return this.#byKey.size === 0;
  }

  find(key: string): Source | undefined {
    return this.#byKey.get(digestOf(key));
  }
}
