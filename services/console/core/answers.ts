import { z } from 'zod';

/** What answers look like: the document of the API is made from it, and tests hold real answers against that. */

const uuid = z.string().meta({ format: 'uuid' });
const time = z.string().meta({ format: 'date-time' });
const whole = z.int().nonnegative();
const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value);
/** A value as it was sent. */
const anything = z.unknown();
const identifierName = z.string().meta({ description: 'type:value' });
const withheld = whole.optional().meta({ description: 'how many traits the token may not read; absent where none' });
const decimal = z.string().meta({ description: 'exact decimal' });
const page = z.string().nullable().meta({ description: 'the cursor of what comes next; null where that is nothing' });

const consent = z.object({
  purpose: z.string(),
  state: z.string().meta({ description: 'granted or denied' }),
  time,
  source: z.string(),
  policy_version: z.string().nullable(),
});

const touch = z.object({
  timestamp: time,
  message_id: z.string(),
  source: z.string(),
  referrer: z.string().nullable(),
  utm_source: z.string().nullable(),
  utm_medium: z.string().nullable(),
  utm_campaign: z.string().nullable(),
  utm_term: z.string().nullable(),
  utm_content: z.string().nullable(),
  utm_id: z.string().nullable(),
});

const product = z.object({
  product: z.string().meta({ description: 'product_id, else sku' }),
  currency: z.string(),
  name: z.string().meta({ description: 'empty where no event says it' }),
  quantity: decimal,
  revenue: decimal,
});

const sessions = z.object({
  count: whole,
  total_ms: whole.meta({ description: 'how long all lasted together, milliseconds' }),
  first_at: time.nullable(),
  last_at: time.nullable().meta({ description: 'when the last began' }),
  last_until: time.nullable().meta({ description: 'its latest event' }),
  last_events: whole,
});

const interaction = z.object({
  id: z.string(),
  state: z.enum(['open', 'closed']),
  channel: z.string().nullable(),
  direction: z.string().nullable(),
  agent: z.string().nullable(),
  timestamp: time,
  source: z.string(),
});

export const problem = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .meta({ id: 'Problem', description: 'why it is not answered; codes are stable' });

export const profile = z
  .object({
    profile_id: uuid,
    kind: z.string().meta({ description: 'person or account' }),
    version: whole.meta({ description: 'rises by one with every change' }),
    identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
    traits: named(anything),
    withheld,
    computed: named(anything),
    audiences: z.array(z.object({ audience: z.string(), episode: whole, since: time })),
    consents: z.array(consent),
    events: whole,
    event_counts: named(whole),
    revenue: named(z.string()).meta({ description: 'by currency; exact decimals' }),
    order_count: whole.meta({ description: 'distinct order ids' }),
    products: z.array(product).meta({ description: 'what was bought, less what was sent back' }),
    first_touch: touch.nullable().meta({ description: 'what first brought them here' }),
    last_touch: touch.nullable().meta({ description: 'what last did' }),
    sessions,
    groups: z
      .array(z.object({ group: z.string(), traits: named(anything), timestamp: time, source: z.string() }))
      .meta({ description: 'the groups that they are in, with the traits of the newest call' }),
    interactions: z.array(interaction).meta({ description: 'open ones, and the last that are closed; newest first' }),
    sources: z.array(z.string()),
    first_seen: time.nullable(),
    last_seen: time.nullable(),
    updated_at: time.nullable(),
    flags: z.array(z.string()),
  })
  .meta({ id: 'Profile' });

const of = <T extends z.ZodRawShape>(id: string, fields: T) =>
  z.object({ profile_id: uuid, version: whole, ...fields }).meta({ id });

const origin = { source: z.string(), message_id: z.string(), timestamp: time };
export const traits = of('Traits', {
  traits: named(anything),
  withheld,
  origins: named(z.object({ ...origin, sensitivity: z.enum(['none', 'personal', 'sensitive']) })),
  part_origins: named(z.object(origin)).meta({
    description: 'of parts of objects that came from elsewhere than their trait, by JSON Pointer into the traits',
  }),
});
export const computed = of('Computed', {
  computed: named(anything),
  withheld,
  origins: named(z.object({ definition_version: whole })),
  filling: named(z.number()).optional().meta({
    description:
      'of computed traits whose history is still being read, the share that has been; until then they are not told, or as they were defined before. Absent with `at`',
  }),
});
export const consents = of('Consents', { consents: z.array(consent) });
export const identifiers = of('Identifiers', {
  identifiers: z.array(z.object({ type: z.string(), value: z.string(), hash: z.string(), mapping_version: whole })),
});

export const batch = z
  .object({ profiles: z.array(z.union([profile, problem])) })
  .meta({ id: 'Batch', description: 'in the order in which they were asked for' });

export const events = z
  .object({
    profile_id: uuid,
    events: z.array(
      z.object({
        message_id: z.string(),
        type: z.string(),
        event: z.string().nullable(),
        source: z.string(),
        user_id: z.string().nullable(),
        anonymous_id: z.string().nullable(),
        timestamp: time,
        received_at: time,
        properties: anything,
        context: anything,
      }),
    ),
    next: page,
  })
  .meta({ id: 'Events' });

export const history = z
  .object({
    profile_id: uuid,
    versions: z.array(
      z.object({
        version: whole,
        updated_at: time,
        why: z.array(z.string()),
        changed: z.array(z.string()),
        causes: z.array(z.string()),
        events: whole,
        first_seen: time.nullable(),
        last_seen: time.nullable(),
        gone: z.boolean(),
        into: uuid.nullable(),
      }),
    ),
    identity: z.array(
      z.object({
        decided_at: time,
        kind: z.string(),
        identifier: identifierName,
        profile_id: uuid,
        to_profile_id: uuid.nullable(),
        version: whole,
        other: identifierName.nullable(),
        reason: z.string(),
      }),
    ),
    next: page,
  })
  .meta({ id: 'History' });

const step = z
  .object({
    from: identifierName,
    to: identifierName,
    accepted: z.boolean(),
    refused: z.string().nullable(),
    kind: z.string(),
    claim_id: z.string(),
    source: z.string().nullable(),
    message_id: z.string().nullable(),
    received_at: time,
    actor: z.string(),
    reason: z.string().nullable(),
    claims: whole,
    rules: z.string().nullable(),
  })
  .meta({ id: 'Step' });
const apart = z
  .object({
    from: identifierName,
    to: identifierName,
    claim_id: z.string(),
    actor: z.string(),
    reason: z.string().nullable(),
    received_at: time,
  })
  .meta({ id: 'Apart' });

export const explanation = z
  .union([
    z.object({ same: z.literal(true), profile_id: uuid, chain: z.array(step).nullable() }),
    z.object({
      same: z.literal(false),
      profile_ids: z.array(uuid),
      chain: z.array(step).nullable(),
      refused: z.array(step),
      apart: z.array(apart),
      complete: z.boolean(),
    }),
  ])
  .meta({ id: 'Explanation' });

const node = z.object({
  identifier: identifierName,
  hash: z.string(),
  profile_id: uuid,
  first_seen: time,
  since: time,
  mapping_version: whole,
  reason: z.string(),
  rules: z.string().nullable(),
  blocked: z.boolean(),
});
export const graph = z
  .object({
    profile_id: uuid,
    identifiers: z.array(node),
    neighbours: z.array(node),
    links: z.array(step),
    apart: z.array(apart),
    complete: z.boolean(),
  })
  .meta({ id: 'Graph' });

export const asOf = z
  .object({
    time,
    identifier: identifierName,
    known: z.boolean(),
    profile_id: uuid,
    identifiers: z.array(z.object({ identifier: identifierName, hash: z.string(), since: time })),
    profile_id_now: uuid,
  })
  .meta({ id: 'AsOf' });

export const where = z
  .object({
    profile_id: uuid,
    former_profile_ids: z.array(uuid),
    identifiers: z.array(z.object({ identifier: identifierName, hash: z.string() })),
    topics: z.array(
      z.object({ topic: z.string(), records: whole.nullable(), holds: z.enum(['yes', 'no', 'unknown']) }),
    ),
    tables: z.array(z.object({ table: z.string(), rows: whole.nullable() })),
    destinations: z.array(
      z.object({ destination: z.string(), delivered: whole, dead: whole, requests: whole, last: time }),
    ),
    local_state: z.array(z.object({ folder: z.string(), what: z.string(), holds: z.enum(['yes', 'no']) })),
  })
  .meta({ id: 'Where' });

export const health = z
  .object({
    profiles: whole,
    identifiers: whole,
    largest: whole,
    sizes: z.array(z.object({ identifiers: z.string(), profiles: whole })),
    shared: z.array(z.object({ identifier: identifierName, neighbours: whole, user_ids: whole })),
    blocked: z.array(
      z.object({ identifier: identifierName, actor: z.string(), reason: z.string().nullable(), received_at: time }),
    ),
    refusals: z.array(z.object({ reason: z.string(), count: whole })),
    quarantine: z.array(z.object({ profile_id: uuid, reason: z.string(), since: time })),
    linker_lag: whole,
    events: whole,
    events_moved: whole,
    share_moved: z.number(),
    not_known: z.array(z.string()),
  })
  .meta({ id: 'IdentityHealth' });

export const audiences = z
  .union([
    z.object({
      data: z.object({
        customer: z.object({
          audiences: z.object({
            edges: z.array(z.object({ node: z.object({ name: z.string(), state: z.string() }) })),
          }),
        }),
      }),
    }),
    z.object({
      errors: z.array(
        z.object({
          message: z.string(),
          path: z.array(z.string()),
          extensions: z.object({ classification: z.string(), code: z.string() }),
        }),
      ),
      data: z.object({ customer: z.null() }),
    }),
  ])
  .meta({ id: 'Audiences' });

/** Of a stream, which is no JSON. */
export const live = z.string().meta({
  description:
    'Server-sent events: `hello` (where events can be sent to), `state` (whether the topics are read now), `passing` (what passed), `missed` (how much was left out)',
});

export const document = z.looseObject({ openapi: z.string() }).meta({ id: 'Document' });
