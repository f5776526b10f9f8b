import { z } from 'zod';
import { consentPurposes } from './consent-purposes.ts';
import { retry } from './retry.ts';

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/** The key in a secret as the Standard Webhooks specification spells it; undefined where it is none. */
export function keyOfSecret(text: string): Buffer | undefined {
  const key = Buffer.from(SECRET.exec(text)?.[1] ?? '', 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

function faultOfUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'not a URL';
  const { protocol, username, password, hash } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https:// or http://';
  if (username || password) return 'must not hold a user name or a password: requests are signed';
  return hash ? 'must not have a fragment' : undefined;
}

export const profileWebhook = z.strictObject({
  url: z.string().check(({ value, issues }) => {
    const message = faultOfUrl(value);
    if (message) issues.push({ code: 'custom', input: value, message });
  }),
  /** Every request is signed with each of them, so that one can be changed for another without a gap. */
  secrets: z
    .array(
      // The message must not repeat it.
      z.string().refine((text) => keyOfSecret(text) !== undefined, 'must be whsec_ and 24 to 64 bytes in base64'),
    )
    .min(1)
    .max(3),
  /** Switched off it stands still; switched on it goes on where it stood, with the newest version of what changed meanwhile. */
  enabled: z.boolean().default(true),
  /** Where a new one begins: at the feed's start, with everybody, or with what changes from now on. */
  begin: z.enum(['start', 'now']).default('now'),
  /** Which versions. What is left out restricts nothing. */
  filter: z
    .strictObject({
      kinds: z
        .array(z.enum(['person', 'account']))
        .min(1)
        .optional(),
      /** Fields of which one has changed, such as `traits`, `consents` or `traits.plan`. */
      changed: z
        .array(z.string().regex(/^[a-z_]+(\..+)?$/, 'not a field of a profile, such as traits or traits.plan'))
        .min(1)
        .optional(),
      /** Reasons of which one has led to the version. */
      why: z.array(z.string().min(1)).min(1).optional(),
    })
    .default({}),
  /** Whether it is told what is sensitive. */
  sensitive: z.boolean().default(false),
  /** Consent purposes that a profile needs to be sent. */
  purposes: consentPurposes,
  retry,
  concurrency: z.number().int().min(1).max(256).default(8),
});
