import { describe, expect, it } from 'vitest';
import type { Consent } from '#schemas/generated/records.ts';
import { decideConsent } from './consent.ts';

const said = (purpose: string, state: string, time: number): Consent => ({
  purpose,
  state,
  time,
  source: 'web',
  policy_version: null,
});
const deniedByDefault = () => 'denied' as const;
const grantedByDefault = () => 'granted' as const;

describe('consent', () => {
  it('lets a delivery without purposes leave', () => {
    expect(decideConsent([], [said('ads', 'denied', 1)], deniedByDefault)).toEqual({ allowed: true, consents: [] });
  });

  it('needs every purpose', () => {
    const known = [said('ads', 'granted', 1), said('mail', 'denied', 1)];
    expect(decideConsent(['ads'], known, deniedByDefault)).toMatchObject({ allowed: true });
    expect(decideConsent(['ads', 'mail'], known, grantedByDefault)).toEqual({
      allowed: false,
      reason: 'consent_denied:mail',
      consents: known,
    });
  });

  it('falls back to the default of a purpose that was not spoken of', () => {
    expect(decideConsent(['ads'], [], grantedByDefault)).toMatchObject({ allowed: true });
    expect(decideConsent(['ads'], [], deniedByDefault)).toMatchObject({
      allowed: false,
      reason: 'consent_missing:ads',
    });
  });

  it.each([
    ['the newest statement counts', [said('ads', 'denied', 1), said('ads', 'granted', 2)], true],
    ['in whatever order they are known', [said('ads', 'granted', 2), said('ads', 'denied', 1)], true],
    ['a denial takes a grant back', [said('ads', 'granted', 1), said('ads', 'denied', 2)], false],
    ['at equal times a denial wins', [said('ads', 'denied', 2), said('ads', 'granted', 2)], false],
    ['at equal times a denial wins, the other way round', [said('ads', 'granted', 2), said('ads', 'denied', 2)], false],
    ['a state that nobody knows is no grant', [said('ads', 'yes', 1)], false],
  ])('%s', (_, known, allowed) => {
    expect(decideConsent(['ads'], known, deniedByDefault).allowed).toBe(allowed);
  });
});
