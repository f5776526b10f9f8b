import { parseFql } from '@segment/destination-subscriptions';
import { z } from 'zod';
import { compute } from '#shared/expressions/parse.ts';
import { isZone } from '#shared/expressions/zone.ts';
import { addressRangeOf } from './address-ranges.ts';
import { consentPurposes } from './consent-purposes.ts';
import { profileWebhook } from './profile-webhook.ts';
import { retry } from './retry.ts';
import { faultOfType, traitTypes } from './trait-type.ts';
import { webhook } from './webhook.ts';

interface HowItLinks {
  readonly limit: number;
  readonly limitDays?: number;
  readonly links: 'strong' | 'weak' | 'lookup';
}

/** How types link where the rules do not say. One person has one user id; docs/identity.md has the reasons of the others. */
const usually = new Map<string, HowItLinks>([
  ['user_id', { limit: 1, links: 'strong' }],
  ['email', { limit: 2, limitDays: 365, links: 'strong' }],
  ['phone', { limit: 2, limitDays: 365, links: 'strong' }],
  ['anonymous_id', { limit: 10, limitDays: 30, links: 'strong' }],
  ['device_id', { limit: 5, limitDays: 365, links: 'weak' }],
  ['group_id', { limit: 1, links: 'lookup' }],
]);
/** What else is known of a person may be several, and far more are a mistake or a crowd. */
const otherwise: HowItLinks = { limit: 5, links: 'strong' };

/**
 * The kinds of definitions and the shape of each. Unknown fields are errors, so that a typing mistake is found when it is
 * applied, not when an event is lost.
 */
export const definitionKinds = {
  /** Where events come from. A source may have several write keys, so that a key can be rotated. */
  source: z.strictObject({
    writeKeys: z.array(z.strictObject({ key: z.string().min(4), enabled: z.boolean().default(true) })).min(1),
    enabled: z.boolean().default(true),
    /** Browser origins that may send; `*` is any, `http://localhost:*` any port. None: no browser may. */
    allowedOrigins: z.array(z.string()).default([]),
    /** Addresses and ranges (`203.0.113.0/24`) that may send. None: all may. */
    allowedAddresses: z
      .array(z.string().refine((text) => addressRangeOf(text) !== undefined, 'not an address or a range of addresses'))
      .default([]),
    /** What each write key may send to each collector; beyond, senders are told to come back. None: as much as there is. */
    rateLimit: z.strictObject({ eventsPerSecond: z.number().min(0.1), burst: z.number().int().min(1) }).optional(),
    /** Keep the client's address in events; `truncated`: without its last octet, of IPv6 the first 48 bits. */
    keepIp: z.union([z.boolean(), z.literal('truncated')]).default(true),
    /** What the collector adds to an event that does not say it itself. */
    enrich: z
      .strictObject({
        /** `context.campaign`, from the UTM parameters of the page's address. */
        campaign: z.boolean().default(true),
        /** The same, where there are none, from the site that referred to the page. */
        referrer: z.boolean().default(true),
        /** `context.userAgent` of browsers, and what it and client hints say: `browser`, `os`, `device`. */
        userAgent: z.boolean().default(true),
        /** `context.location`, from the address; needs the operator's file. */
        geo: z.boolean().default(true),
        /** What becomes of events of programs that call themselves robots; `flag` puts `bot` into `flags`. */
        bots: z.enum(['keep', 'flag', 'drop']).default('flag'),
        /** `Sec-GPC: 1` as a denial of the purpose `sale_or_sharing`. */
        gpc: z.boolean().default(true),
      })
      .prefault({}),
    /** Currency of amounts without one, ISO 4217. */
    defaultCurrency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .default('USD'),
    /** The source takes what other systems send, at `/v1/webhook`, and nothing else. */
    webhook: webhook.optional(),
    description: z.string().default(''),
  }),
  /** Which identifiers exist and how they link. The name is `default`. */
  identity_rules: z.strictObject({
    /** Highest priority first. `limit`: how many one profile may hold. What a type leaves out is as usual. */
    types: z
      .array(
        z
          .strictObject({
            type: z.string().min(1),
            limit: z.number().int().min(1).optional(),
            /** The limit holds for identifiers that were first received within any so many days. None: for ever, if the limit is told. */
            limitDays: z.number().min(0.01).max(3_650).optional(),
            links: z.enum(['strong', 'weak', 'lookup']).optional(),
            /** How a value is spelled: as it is, in lower case, or as an address or number is. By the type's name when absent. */
            spelling: z.enum(['exact', 'lowercase', 'email', 'phone']).optional(),
            /** Where in an event it stands: `userId`, `traits.email`, `properties.customer.id`. The usual places when absent. */
            from: z
              .array(z.string().regex(/^[A-Za-z_$][\w$-]*(\.[A-Za-z_$][\w$-]*)*$/, 'not a path such as traits.email'))
              .min(1)
              .optional(),
            /** Whose are events that it routes, once several user ids were seen with it: of the first of them (`owner`, when absent), or of a profile of its own. */
            whenShared: z.enum(['owner', 'device']).optional(),
            /** Whether it tells who somebody is. Profiles of which nothing does expire. All but anonymous and device ids do, when absent. */
            identifies: z.boolean().optional(),
          })
          .transform((one) => {
            const { limit, limitDays, links } = usually.get(one.type) ?? otherwise;
            const window = limitDays !== undefined && one.limit === undefined ? { limitDays } : {};
            return { ...window, ...one, limit: one.limit ?? limit, links: one.links ?? links };
          }),
      )
      .min(1),
    /**
     * From how many identifiers of one type it counts as shared and stops linking: of a type of higher priority, of which a profile may
     * hold fewer. A cookie with four user ids, or four e-mail addresses, is nobody's own.
     */
    sharedFrom: z.number().int().min(2).default(4),
    blockedValues: z.array(z.string()).default([]),
    /** Of all types: more identifiers than that are never one profile. */
    mostIdentifiers: z.number().int().min(2).max(2_000).default(200),
    /** A profile with more identifiers, or more new ones within an hour, is in quarantine: nothing is sent for it. */
    quarantine: z
      .strictObject({
        identifiers: z.number().int().min(2).default(50),
        perHour: z.number().int().min(2).default(25),
      })
      .prefault({}),
    /** Where phone numbers without a country code are from, ISO 3166. None: such numbers identify nobody. */
    phoneCountry: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
  }),
  /** Where data goes. `type` is a destination of the catalogue, `action` one of its actions. */
  destination: z.strictObject({
    type: z.string().min(1),
    action: z.string().min(1),
    enabled: z.boolean().default(true),
    /** Which events: a query of Segment's destination subscriptions, such as `type = "track" and event = "Order Completed"`. */
    subscribe: z.string().check((context) => {
      const parsed = parseFql(context.value);
      if ('error' in parsed)
        context.issues.push({ code: 'custom', input: context.value, message: parsed.error.message });
    }),
    settings: z.record(z.string(), z.unknown()).default({}),
    mapping: z.record(z.string(), z.unknown()).default({}),
    /** Consent purposes that every delivery needs. */
    purposes: consentPurposes,
    retry,
    concurrency: z.number().int().min(1).max(256).default(8),
  }),
  /** What is known of customers: a trait that events bring, or, with `compute`, one that is made from them. The name is the trait's. */
  traits: z
    .strictObject({
      description: z.string().default(''),
      sensitivity: z.enum(['none', 'personal', 'sensitive']).default('none'),
      /** What its values are, for whoever reads it in SQL; of a computed one by what it is made of, if that says it. */
      type: z.enum(traitTypes).optional(),
      compute: compute.optional(),
      /** Of the days and hours in `compute`: a name of the IANA's list. UTC when absent. */
      timeZone: z.string().refine(isZone, 'must be the name of a time zone, spelled as in Europe/Berlin').optional(),
    })
    .check(({ value, issues }) => {
      const { type, compute, timeZone } = value;
      const fault = type && compute && faultOfType(type, compute);
      if (fault) issues.push({ code: 'custom', input: value, path: ['type'], message: fault });
      if (timeZone !== undefined && compute === undefined)
        issues.push({
          code: 'custom',
          input: value,
          path: ['timeZone'],
          message: 'is of what is computed; there is no compute',
        });
    }),
  /** A URL to which profiles are sent as they change, for whoever does not read the feed itself. */
  profile_webhook: profileWebhook,
  /** What a person can consent to. */
  purpose: z.strictObject({
    description: z.string().default(''),
    default: z.enum(['granted', 'denied']).default('denied'),
  }),
} as const;

export type DefinitionKind = keyof typeof definitionKinds;
export type DefinitionBodies = { [K in DefinitionKind]: z.output<(typeof definitionKinds)[K]> };
