import type { Consent } from '#schemas/generated/records.ts';

/** Whether a delivery may leave, and the statements that decided it. */
export type ConsentDecision =
  | { readonly allowed: true; readonly consents: readonly Consent[] }
  | { readonly allowed: false; readonly reason: string; readonly consents: readonly Consent[] };

/** The newest statement on a purpose; of equally old ones a denial. */
function decisive(purpose: string, known: readonly Consent[]): Consent | undefined {
  let newest: Consent | undefined;
  for (const consent of known) {
    if (consent.purpose !== purpose) continue;
    const newer = !newest || consent.time > newest.time;
    if (newer || (consent.time === newest?.time && consent.state === 'denied')) newest = consent;
  }
  return newest;
}

/**
 * A delivery may leave when each purpose that it needs is granted, or was not spoken of and is granted by default. Anything that
 * is not known to be granted is denied: a misspelt state, a purpose that nobody defined.
 * @param defaultOf what holds for a purpose that the person has said nothing about
 */
export function decideConsent(
  purposes: readonly string[],
  known: readonly Consent[],
  defaultOf: (purpose: string) => 'granted' | 'denied',
): ConsentDecision {
  const consents: Consent[] = [];
  let reason: string | undefined;
  for (const purpose of [...new Set(purposes)].sort()) {
    const consent = decisive(purpose, known);
    if (consent) consents.push(consent);
    if ((consent?.state ?? defaultOf(purpose)) === 'granted') continue;
    reason ??= `${consent ? 'consent_denied' : 'consent_missing'}:${purpose}`;
  }
  return reason === undefined ? { allowed: true, consents } : { allowed: false, reason, consents };
}
