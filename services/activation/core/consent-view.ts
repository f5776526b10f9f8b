import type { Consent, Profile } from '#schemas/generated/records.ts';

const MOST_HOPS = 16;

/** What each profile has consented to, as the profile feed tells it; followed to where a profile has gone. */
export class ConsentView {
  readonly #consents = new Map<string, readonly Consent[]>();
  readonly #into = new Map<string, string>();

  /** Takes a record of the feed in; null is a tombstone. */
  take(profileId: string, profile: Pick<Profile, 'consents' | 'gone' | 'into'> | null): void {
    if (profile && !profile.gone) {
      this.#into.delete(profileId);
      if (profile.consents.length > 0) this.#consents.set(profileId, profile.consents);
      else this.#consents.delete(profileId);
      return;
    }
    this.#consents.delete(profileId);
    if (profile?.into) this.#into.set(profileId, profile.into);
  }

  /** Empty where nothing is known. */
  of(profileId: string): readonly Consent[] {
    let at = profileId;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const next = this.#into.get(at);
      if (next === undefined) return this.#consents.get(at) ?? [];
      at = next;
    }
    return [];
  }
}
