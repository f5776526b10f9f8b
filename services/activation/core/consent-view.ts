import type { Consent, DeliveryRequest, Profile } from '#schemas/generated/records.ts';

interface Holder {
  readonly consents: readonly Consent[];
  readonly hashes: readonly string[];
}

/**
 * What people have consented to, as the profile feed tells it. Asked for an identifier it says what the profiles say that hold it by
 * now, not those that held it when the event came: it may have become somebody else's. Profiles come on separate ways, so that for a
 * moment an identifier has two of them, whose consents all count, or none.
 */
export class ConsentView {
  /** By profile id, of those that have consents. */
  readonly #holders = new Map<string, Holder>();
  /** Ids of those, by hash of an identifier that they hold. */
  readonly #holding = new Map<string, readonly string[]>();

  /** Takes a record of the feed in; null is a tombstone. */
  take(profileId: string, profile: Pick<Profile, 'consents' | 'identifiers' | 'gone'> | null): void {
    const before = this.#holders.get(profileId);
    for (const hash of before?.hashes ?? []) {
      const others = (this.#holding.get(hash) ?? []).filter((id) => id !== profileId);
      if (others.length > 0) this.#holding.set(hash, others);
      else this.#holding.delete(hash);
    }
    this.#holders.delete(profileId);
    if (!profile || profile.gone || profile.consents.length === 0) return;
    const hashes = profile.identifiers.map(({ hash }) => hash);
    this.#holders.set(profileId, { consents: profile.consents, hashes });
    for (const hash of hashes) this.#holding.set(hash, [...(this.#holding.get(hash) ?? []), profileId]);
  }

  /** Empty where nothing is known. */
  of({ profile_id, routing }: Pick<DeliveryRequest, 'profile_id' | 'routing'>): readonly Consent[] {
    const ids = routing === null ? [profile_id] : (this.#holding.get(routing) ?? []);
    return ids.flatMap((id) => this.#holders.get(id)?.consents ?? []);
  }
}
