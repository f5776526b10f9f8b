import type { Consent } from '#schemas/generated/records.ts';
import { objectOf } from './object-of.ts';

const MOST_PURPOSES = 100;

const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string' && one !== '') : [];

/**
 * The consents that an event states: Segment's `context.consent.categoryPreferences`, RudderStack's
 * `context.consentManagement`, and the browser's `Sec-GPC: 1`, which denies selling and sharing.
 */
export function consentsOf(context: unknown, gpc: boolean, source: string, time: number): Consent[] {
  const { consent, consentManagement } = objectOf(context);
  const states = new Map<string, string>();
  for (const [purpose, allowed] of Object.entries(objectOf(objectOf(consent).categoryPreferences))) {
    if (typeof allowed === 'boolean') states.set(purpose, allowed ? 'granted' : 'denied');
  }
  for (const purpose of stringsOf(objectOf(consentManagement).allowedConsentIds)) states.set(purpose, 'granted');
  for (const purpose of stringsOf(objectOf(consentManagement).deniedConsentIds)) states.set(purpose, 'denied');
  const stated = [...states]
    .slice(0, MOST_PURPOSES)
    .map(
      ([purpose, state]): Consent => ({ purpose: purpose.slice(0, 100), state, time, source, policy_version: null }),
    );
  if (gpc) stated.push({ purpose: 'sale_or_sharing', state: 'denied', time, source: 'gpc', policy_version: null });
  return stated;
}
