import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { mappingFaults } from '#shared/mapping/mapping-kit.ts';
import { conditionFault } from './webhook-condition.ts';

/** Any of them will do, so that one can be changed for another without a gap. */
const secrets = z.array(z.string().min(1)).min(1);

/** How a provider proves that a webhook is its own. */
const verify = z.discriminatedUnion('scheme', [
  /** An HMAC of the body in a header: Shopify, GitHub, Typeform and most others. */
  z.strictObject({
    scheme: z.literal('hmac'),
    header: z.string().min(1),
    algorithm: z.enum(['sha256', 'sha1', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    /** What stands before it, such as `sha256=`. */
    prefix: z.string().default(''),
    secrets,
  }),
  z.strictObject({ scheme: z.literal('stripe'), toleranceSeconds: z.number().int().min(1).default(300), secrets }),
  /** `url`: the address as Twilio has it, which is part of what it signs. */
  z.strictObject({ scheme: z.literal('twilio'), url: z.url(), secrets }),
  /** It says again for hours what was not taken, and may sign that once. */
  z.strictObject({ scheme: z.literal('mailgun'), toleranceSeconds: z.number().int().min(1).default(86_400), secrets }),
  z.strictObject({
    scheme: z.literal('sendgrid'),
    publicKeys: z.array(z.string().refine(isPublicKey, 'not a public key in base64')).min(1),
  }),
]);

function isPublicKey(text: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ec';
  } catch {
    return false;
  }
}

/** A field of the event: a value, or a mapping's directive that finds one. */
const mapped = z.unknown().check((context) => {
  for (const message of mappingFaults(context.value))
    context.issues.push({ code: 'custom', input: context.value, message });
});

/** What each call cannot be without. */
const needed = { track: ['event'], group: ['groupId'], alias: ['previousId', 'userId'] } as const;

const map = z
  .strictObject({
    type: z.enum(['track', 'identify', 'page', 'screen', 'group', 'alias']).default('track'),
    messageId: mapped.optional(),
    userId: mapped.optional(),
    anonymousId: mapped.optional(),
    previousId: mapped.optional(),
    groupId: mapped.optional(),
    event: mapped.optional(),
    name: mapped.optional(),
    category: mapped.optional(),
    properties: mapped.optional(),
    traits: mapped.optional(),
    context: mapped.optional(),
    integrations: mapped.optional(),
    timestamp: mapped.optional(),
  })
  .check(({ value, issues }) => {
    for (const field of value.type in needed ? needed[value.type as keyof typeof needed] : [])
      if (value[field] === undefined)
        issues.push({ code: 'custom', input: value, path: [field], message: `needed for ${value.type}` });
    const { userId, anonymousId, traits, context } = value;
    if (![userId, anonymousId, traits, context].some((one) => one !== undefined))
      issues.push({ code: 'custom', input: value, message: 'says nothing of whom it is about' });
  });

/** What other systems send, and how it becomes events. */
export const webhook = z.strictObject({
  /** None: whoever knows the write key may send. */
  verify: verify.optional(),
  events: z
    .array(
      z.strictObject({
        /** Where in the body the list is of which each element is looked at by itself; `$` is the body. */
        each: z
          .string()
          .regex(/^\$(\.[^.]+)*$/, 'not a path such as $ or $.records')
          .optional(),
        /** Which, as a query of Segment's destination subscriptions. None: all. */
        when: z
          .string()
          .check(({ value, issues }) => {
            const message = conditionFault(value);
            if (message) issues.push({ code: 'custom', input: value, message });
          })
          .optional(),
        map,
      }),
    )
    .min(1),
});
