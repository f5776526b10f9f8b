// Generated from schemas/avro by schemas/generate.ts. Do not edit.

/** A profile entered or exited an audience. */
export interface AudienceChange {
  readonly profile_id: string;
  readonly audience: string;
  /** entered or exited */
  readonly change: string;
  readonly episode: number;
  readonly profile_version: number;
  readonly at: number;
  readonly why: string;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** A trait that is computed from events. */
export interface ComputedTrait {
  readonly name: string;
  /** JSON text */
  readonly value: string;
  readonly definition_version: number;
}

/** What a person allowed or denied. The newest time wins; at equal times a denial wins. */
export interface Consent {
  readonly purpose: string;
  /** granted or denied */
  readonly state: string;
  readonly time: number;
  /** Where it was said: the source's name, or gpc for Sec-GPC. */
  readonly source: string;
  readonly policy_version: string | null;
}

/** One version of a definition. */
export interface Definition {
  /** source, tracking_plan, identity_rules, traits, audience, destination, profile_webhook, purpose */
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  /** JSON object, valid for the kind. */
  readonly body: string;
  /** Who changed it. */
  readonly actor: string;
  /** Why. */
  readonly reason: string;
  readonly at: number;
  readonly deleted: boolean;
}

/** A definition that was in force where a record was made. */
export interface DefinitionVersion {
  /** kind/name */
  readonly definition: string;
  readonly version: number;
}

/** The ledger: what was sent to whom under which consent, with what answer. */
export interface Delivery {
  readonly idempotency_key: string;
  readonly destination: string;
  readonly action: string;
  readonly trigger: string;
  readonly profile_id: string;
  readonly message_id: string;
  /** delivered, suppressed, filtered or dead */
  readonly outcome: string;
  readonly reason: string | null;
  readonly purposes: readonly string[];
  /** Consents that it was decided under. */
  readonly consents: readonly Consent[];
  /** Names of the fields sent, sorted; never their values. */
  readonly fields: readonly string[];
  readonly attempts: number;
  /** HTTP status of the last answer. */
  readonly status: number | null;
  /** Start of the last answer, at most 500 characters. */
  readonly answer: string | null;
  readonly requested_at: number;
  readonly finished_at: number;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** A delivery that was given up. */
export interface DeliveryDead {
  readonly idempotency_key: string;
  readonly destination: string;
  readonly profile_id: string;
  /** Stable code. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
  /** The delivery request, as it was; of a webhook the record of profiles. */
  readonly request: Buffer;
  readonly at: number;
  readonly generation: number;
}

/** What a destination is to be sent. */
export interface DeliveryRequest {
  /** Hash of destination, action and message id or audience episode. */
  readonly idempotency_key: string;
  readonly destination: string;
  readonly action: string;
  /** event, audience or profile */
  readonly trigger: string;
  readonly profile_id: string;
  readonly message_id: string;
  /** Hash of the identifier that routed the event: consent is asked of whoever holds it by then. Null: of the profile. */
  readonly routing: string | null;
  /** JSON text of the event as the destination's mapping sees it (Segment event). */
  readonly event: string;
  /** Consent purposes that this delivery needs. */
  readonly purposes: readonly string[];
  /** Consents known when it was planned. */
  readonly consents: readonly Consent[];
  /** Why it must not be sent, a stable code: its sender only writes it down. Null: nothing was known against it when it was planned. */
  readonly suppressed: string | null;
  /** Received time of the trigger. */
  readonly requested_at: number;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** An event as the collector accepted it. */
export interface EventCollected {
  /** Unique within the source; made by the collector when the SDK sent none. */
  readonly message_id: string;
  /** identify, track, page, screen, group or alias */
  readonly type: string;
  /** Event name of a track call; name of a page or screen. */
  readonly event: string | null;
  /** Name of the source whose write key was used. */
  readonly source: string;
  /** As sent; absent when empty or null. */
  readonly user_id: string | null;
  /** As sent; absent when empty or null. */
  readonly anonymous_id: string | null;
  /** When it happened by the sender's clock. */
  readonly original_timestamp: number;
  /** When the sender sent it, by the sender's clock. */
  readonly sent_at: number | null;
  /** When the collector received it. Also the time of the Kafka record. */
  readonly received_at: number;
  /** original_timestamp corrected by the sender's clock skew; not later than a day after received_at. */
  readonly timestamp: number;
  /** What was odd but not wrong: clock_skew, future_timestamp, no_timestamp … */
  readonly flags: readonly string[];
  /** person or account: what the routing identifier stands for. */
  readonly kind: string;
  /** Usable identifiers, highest priority first. The first routes the event. */
  readonly identifiers: readonly Identifier[];
  /** The event as sent: its own JSON text, numbers untouched, with batch-level context and integrations, and what the collector found, under its own. */
  readonly payload: string;
  /** Client address, where the source keeps it. */
  readonly ip: string | null;
  /** JSON object: what the collector found, by the names of context: browser, os, device, location, campaign, userAgent. */
  readonly enrichment: string;
  /** Consents stated by this event. */
  readonly consents: readonly Consent[];
  /** Of amounts that name none: the source's default when the event was accepted. ISO 4217; XXX is none. */
  readonly currency: string;
  /** The definition versions it met. */
  readonly definitions: readonly DefinitionVersion[];
  /** Generation of the internal topics that it went through. Which identifiers it has is a matter of the rules in definitions. */
  readonly generation: number;
}

/** How often an event happened. */
export interface EventCount {
  /** Event name; the type where there is none. */
  readonly event: string;
  readonly count: number;
}

/** What could not be processed: kept whole, so that it can be fixed and replayed. */
export interface EventRejected {
  /** collector, identity-stitcher, profile-projector or activation */
  readonly stage: string;
  /** Stable code, such as no_identifier, invalid_event, undecodable, processing_failed. */
  readonly reason: string;
  /** What was wrong, in words, without personal data. */
  readonly message: string;
  readonly source: string | null;
  readonly message_id: string | null;
  readonly received_at: number;
  /** Time of the record that was being processed; the collector's clock at the door. */
  readonly rejected_at: number;
  /** Places and rules that failed. */
  readonly violations: readonly string[];
  /** Original bytes. */
  readonly payload: Buffer;
  /** Input topic, when rejected downstream. */
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** An event with the profile that it belongs to. */
export interface EventStitched {
  /** Unique within the source; made by the collector when the SDK sent none. */
  readonly message_id: string;
  /** identify, track, page, screen, group or alias */
  readonly type: string;
  /** Event name of a track call; name of a page or screen. */
  readonly event: string | null;
  /** Name of the source whose write key was used. */
  readonly source: string;
  /** As sent; absent when empty or null. */
  readonly user_id: string | null;
  /** As sent; absent when empty or null. */
  readonly anonymous_id: string | null;
  /** When it happened by the sender's clock. */
  readonly original_timestamp: number;
  /** When the sender sent it, by the sender's clock. */
  readonly sent_at: number | null;
  /** When the collector received it. Also the time of the Kafka record. */
  readonly received_at: number;
  /** original_timestamp corrected by the sender's clock skew; not later than a day after received_at. */
  readonly timestamp: number;
  /** What was odd but not wrong: clock_skew, future_timestamp, no_timestamp … */
  readonly flags: readonly string[];
  /** person or account: what the routing identifier stands for. */
  readonly kind: string;
  /** Usable identifiers, highest priority first. The first routes the event. */
  readonly identifiers: readonly Identifier[];
  /** The event as sent: its own JSON text, numbers untouched, with batch-level context and integrations, and what the collector found, under its own. */
  readonly payload: string;
  /** Client address, where the source keeps it. */
  readonly ip: string | null;
  /** JSON object: what the collector found, by the names of context: browser, os, device, location, campaign, userAgent. */
  readonly enrichment: string;
  /** Consents stated by this event. */
  readonly consents: readonly Consent[];
  /** Of amounts that name none: the source's default when the event was accepted. ISO 4217; XXX is none. */
  readonly currency: string;
  /** The definition versions it met. */
  readonly definitions: readonly DefinitionVersion[];
  /** Generation of identities whose mapping says which profile that is. Which identifiers it has is a matter of the rules in definitions. */
  readonly generation: number;
  /** Profile at the time of stitching (UUID). The current one is a matter of identity.mappings. */
  readonly profile_id: string;
  /** Version of the mapping that said so; 0 is the identifier's own default profile. */
  readonly mapping_version: number;
}

/** The newest group call about one group. */
export interface GroupMembership {
  /** Id of the group, whose own profile is found by group_id. */
  readonly group: string;
  /** JSON object: the traits of that call. */
  readonly traits: string;
  /** Corrected time of the call. */
  readonly timestamp: number;
  readonly source: string;
}

/** One normalised identifier of a person or account. */
export interface Identifier {
  /** user_id, email, phone, anonymous_id, device_id, external_id:<type>, group_id */
  readonly type: string;
  /** Normalised. Personal data: only ever in values, never in keys. */
  readonly value: string;
  /** Keyed hash of type and value: 32 hexadecimal digits (128 bits). */
  readonly hash: string;
}

/** What happened to an identifier, or to a profile, and why. */
export interface IdentityChange {
  /** discovered (first seen), moved, refused (a link that would break a limit), quarantined (the profile is too large or grows too fast: nothing is sent for it), released (that is over, or the profile is no more) */
  readonly kind: string;
  /** Profile that it concerns: the topic's key. For a move the profile that is left. */
  readonly profile_id: string;
  /** Quarantined, released: the oldest of the profile. */
  readonly identifier: Identifier;
  /** Moved: the profile that it joins. */
  readonly to_profile_id: string | null;
  /** Version of the mapping that results; 0 for discovered. */
  readonly version: number;
  /** Moved: the identifier through which it is linked to the profile's anchor. Refused: the other end of the edge. */
  readonly other: Identifier | null;
  /** first_seen, linked, oldest_changed, split, limit:<type>, shared, blocked, too_large, too_fast … */
  readonly reason: string;
  /** Claims that decided it. */
  readonly claim_ids: readonly string[];
  /** Received time of the deciding claim. */
  readonly decided_at: number;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** A statement about identifiers. The set of claims is the identity graph. */
export interface IdentityClaim {
  /** Half of the first identifier's hash, half a hash of kind, identifier hashes, source and actor: the topic's key. */
  readonly claim_id: string;
  /** observed, alias, must_link, cannot_link, block, activate_rules, withdraw */
  readonly kind: string;
  /** One or two identifiers, ordered by hash. */
  readonly identifiers: readonly Identifier[];
  /** Event that was the occasion. */
  readonly message_id: string | null;
  /** Source of that event. */
  readonly source: string | null;
  /** Earliest received time at which this claim was made. */
  readonly received_at: number;
  /** Earliest time of the events that made this claim, corrected, and never after they were received. Null: no event did. */
  readonly occurred_at: number | null;
  /** Who says so: the resolver task, a person, a rule or a model. */
  readonly actor: string;
  readonly reason: string | null;
  /** withdraw: which claims no longer count: claim:<id>, source:<name>, actor:<name> (a * at the end stands for any rest), definition:<kind>/<name>@<version>. Null: the withdrawal is taken back. */
  readonly target: string | null;
  /** activate_rules: the identity rules, as JSON text. */
  readonly rules: string | null;
  /** Weight of a probabilistic match. */
  readonly weight: number | null;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
}

/** The profile of an identifier, for every identifier that ever left its default profile. */
export interface IdentityMapping {
  /** Keyed hash of the identifier: the topic's key. */
  readonly hash: string;
  readonly profile_id: string;
  /** Offset of the claim that decided it, plus one. 0 is the default profile. */
  readonly version: number;
  /** Received time of that claim. */
  readonly decided_at: number;
  readonly generation: number;
  /** Rises when another generation takes over: readers go over to it all at once. */
  readonly edition: number;
}

/** A conversation with a customer, as the newest Interaction event of its id says. */
export interface Interaction {
  readonly id: string;
  /** open or closed */
  readonly state: string;
  readonly channel: string | null;
  /** inbound or outbound, as sent */
  readonly direction: string | null;
  readonly agent: string | null;
  /** Corrected time of the event. */
  readonly timestamp: number;
  readonly source: string;
}

/** Running totals of one task over one input topic: what was taken in and what became of it. */
export interface Accounting {
  readonly service: string;
  readonly task: string;
  readonly topic: string;
  readonly partition: number;
  /** Offset after the last record taken in. */
  readonly next: number;
  readonly taken: number;
  /** emitted, duplicate, rejected …: each input ends as exactly one. Of the empty topic: how many values the task keeps, by counted store. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Records put out, by output name. */
  readonly outputs: Readonly<Record<string, number>>;
  readonly generation: number;
}

export interface BackfilledTrait {
  readonly trait: string;
  readonly version: number;
  readonly compute: string;
  readonly time_zone: string;
  /** By partition. */
  readonly cuts: readonly number[];
}

/** Versions of computed traits that history is being read for, together. */
export interface Backfill {
  readonly traits: readonly BackfilledTrait[];
  /** The space of hashes is read in so many equal parts. */
  readonly slices: number;
  /** The next of them. */
  readonly slice: number;
  readonly rows: number;
  readonly of: number;
}

export interface TraitSighting {
  readonly timestamp: number;
  readonly message_id: string;
  readonly source: string;
  /** JSON text */
  readonly value: string;
}

export interface TraitText {
  readonly text: string;
  readonly count: number;
}

export interface TraitCell {
  /** First moment of its hour or day, milliseconds; 0 where there is no window. */
  readonly from: number;
  readonly count: number;
  /** Sum: integer, millionths. */
  readonly micros: string | null;
  readonly extreme: number | null;
  readonly sighting: TraitSighting | null;
  readonly texts: readonly TraitText[];
}

/** What is kept of the events that one identifier routed for one version of a computed trait. */
export interface TraitCells {
  readonly trait: string;
  readonly version: number;
  /** Which of the aggregates in it. */
  readonly part: number;
  /** How cells are put together. */
  readonly aggregate: string;
  /** Sorted by from. */
  readonly cells: readonly TraitCell[];
}

/** A claim as the linker keeps it with what it is about. */
export interface ClaimRef {
  readonly id: string;
  /** 0 is the strongest; from 8 on it links nothing. */
  readonly strength: number;
  readonly received_at: number;
  readonly occurred_at: number;
  /** Number of who made it; -1 where it is kept with the claim under its id. */
  readonly origin: number;
}

export interface TraitVersion {
  readonly trait: string;
  readonly version: number;
}

/** What history says: of one identifier cells of computed traits, and where all is rebuilt its tributary; or that all has been told. */
export interface Fill {
  /** Addressee, as of a move. */
  readonly profile_id: string;
  /** Version of the mapping that is known of. */
  readonly version: number;
  readonly identifier: Identifier | null;
  /** Latest received time of the events that it tells of, milliseconds. */
  readonly received_at: number;
  /** Where a generation is rebuilt. */
  readonly tributary: Tributary | null;
  readonly cells: readonly TraitCells[];
  /** To this partition everything of these has been told. */
  readonly complete: readonly TraitVersion[];
  readonly generation: number;
}

/** Profiles and identities as one run of the services has them: the live ones, or those that a replay rebuilds beside them. */
export interface Generation {
  readonly generation: number;
  /** replaying: rebuilt from history, then kept up to date, for nobody but those who compare; live; retired: was live, and is kept up to date to become so again; dropped */
  readonly state: string;
  /** Of what it published last, or is to publish; 0: it was never live. */
  readonly edition: number;
  /** recorded: it follows identity.claims; rebuilt: what resolvers claim is claimed anew from history. */
  readonly claims: string;
  /** Rebuilt: offset of identity.claims below which only decisions are taken over. */
  readonly claims_cut: number;
  /** clickhouse: the event log; kafka: what events.stitched still holds. */
  readonly history: string;
  /** Text of a file of definitions that are in force in it alone; empty: those of all. */
  readonly definitions: string;
  readonly started_at: number;
  readonly changed_at: number;
  readonly actor: string;
  readonly reason: string;
}

/** A claim whose id does not tell what it is about. What stands beside its identifiers is read only of those that an earlier version took in. */
export interface KnownClaim {
  /** Of its identifiers: one or two. */
  readonly hashes: readonly string[];
  readonly strength: number;
  readonly source: string | null;
  readonly actor: string;
  readonly definitions: readonly DefinitionVersion[];
  readonly received_at: number;
  readonly occurred_at: number;
}

/** What is claimed about two identifiers. Kept by the hash of each, then that of the other. */
export interface Link {
  /** Sorted by id; also those that were withdrawn. */
  readonly claims: readonly ClaimRef[];
  /** Why it unites nothing, as was last said. */
  readonly refused: string | null;
}

export interface Sweep {
  /** Hash of the last identifier that was looked at. */
  readonly after: string;
  /** Of the claim that asked for it. */
  readonly offset: number;
  readonly received_at: number;
}

/** What the linker works under, and how far it has come with looking at all identifiers anew. */
export interface Linking {
  /** Identity rules in force, JSON text; null: the default ones. */
  readonly rules: string | null;
  readonly definitions: readonly DefinitionVersion[];
  readonly sweep: Sweep | null;
}

/** Written at a takeover, so that the end of a restore is known. */
export interface Marker {
  readonly owner: string;
  readonly sequence: number;
}

/** A tributary, or a part of one, on its way to another profile. */
export interface Move {
  /** Addressee: the topic's key. */
  readonly profile_id: string;
  /** Version of the mapping that sends it there. */
  readonly version: number;
  readonly tributary: Tributary;
  readonly cells: readonly TraitCells[];
  /** What of the identifier was received up to then, milliseconds, has expired. */
  readonly forgotten: number;
  readonly causes: readonly string[];
  readonly piece: number;
  readonly pieces: number;
  readonly generation: number;
}

export interface Edge {
  /** Hash of the other end. */
  readonly to: string;
  /** 0 is the strongest. */
  readonly strength: number;
  readonly first_received: number;
  readonly claim_ids: readonly string[];
  readonly refused: string | null;
}

/** An identifier in the graph. Its links are kept beside it. */
export interface Node {
  readonly identifier: Identifier;
  readonly first_received: number;
  /** Where an earlier version of the software kept the links; they are taken over when the identifier is next touched. */
  readonly edges: readonly Edge[];
  readonly profile_id: string;
  readonly version: number;
  /** Not used any more. */
  readonly overflow: boolean;
  /** Claims about it alone: sightings and blocks. Sorted by id. */
  readonly claims: readonly ClaimRef[];
  /** Identifiers that claims would unite it with. */
  readonly neighbours: number;
  /** How many of them are of each type. */
  readonly types: Readonly<Record<string, number>>;
  /** Why it links nothing, as was last decided: blocked, shared. */
  readonly cut: string | null;
  /** Of the oldest identifier of a profile: why the profile is in quarantine. */
  readonly quarantine: string | null;
}

/** Where claims come from, by its number. By this, too, they can be withdrawn. */
export interface Origin {
  readonly source: string | null;
  readonly actor: string;
  readonly definitions: readonly DefinitionVersion[];
}

/** The newest place of an identifier that a partition knows of. */
export interface Ownership {
  readonly profile_id: string;
  readonly version: number;
  /** What of it was received up to then, milliseconds, has expired. */
  readonly forgotten: number;
}

/** What is kept for computed traits of the events that one identifier routed. */
export interface PlaceCells {
  /** Sorted by trait, version and part. */
  readonly parts: readonly TraitCells[];
  /** trait@version/part of those that are too large to stand here, and have a record each. */
  readonly apart: readonly string[];
}

/** What the projector keeps of a profile beside its tributaries. */
export interface ProfileState {
  readonly version: number;
  /** Hashes of the identifiers whose tributaries are here, sorted. */
  readonly members: readonly string[];
  readonly alive: boolean;
  readonly into: string | null;
  /** The linker has it in quarantine. */
  readonly quarantined: boolean;
  /** As they were last told. */
  readonly computed: readonly ComputedTrait[];
  /** Of traits that are not none, as they were last told. */
  readonly sensitivities: Readonly<Record<string, string>>;
  /** Of the traits that were computed then. */
  readonly epoch: number;
  /** When its timer goes, milliseconds. */
  readonly due: number | null;
  /** When it is looked at whether it has been silent for too long, milliseconds; of anonymous ones. */
  readonly expires: number | null;
  /** Of what was published of it last. */
  readonly edition: number;
}

/** What the planner keeps of a profile in quarantine: requests for it wait, by number. */
export interface Quarantine {
  /** too_large or too_fast */
  readonly reason: string;
  /** Received time of the claim that decided it. */
  readonly since: number;
  /** Number of the oldest request that waits. */
  readonly oldest: number;
  /** Number of the next request. */
  readonly next: number;
  /** Length of the events of all requests that wait. */
  readonly characters: number;
}

/** What a resolver knows of one of its identifiers. */
export interface Resolution {
  readonly profile_id: string;
  readonly version: number;
  /** Which says so. */
  readonly generation: number;
}

/** Message ids of events that stand near each other in the log, each with its received time. */
export interface Seen {
  /** Start of the hour in which they were received: milliseconds since 1970. */
  readonly bucket: number;
  /** 20 bytes each: 16 of the hash of source and message id, 4 (big-endian) of milliseconds after the bucket. */
  readonly ids: Buffer;
}

/** Earliest times of an identifier, or of a pair, in one source. */
export interface Sighting {
  readonly received_at: number;
  /** Earliest time of the events; null: when they were received. */
  readonly occurred_at: number | null;
}

/** A profile that may change by the time alone; when, is in the key. */
export interface Timer {
  readonly profile_id: string;
}

/** How far one version of a computed trait is: where a partition began to fold events into it, or how much of the history before that was read. */
export interface TraitFill {
  /** Empty: everything that is not computed, where a generation is rebuilt. */
  readonly trait: string;
  readonly version: number;
  /** JSON text of what it computes. */
  readonly compute: string;
  /** Of its days and hours. */
  readonly time_zone: string;
  /** -1: of all together, as the reader of history tells it. */
  readonly partition: number;
  /** How many there are. */
  readonly partitions: number;
  /** Of a partition: offset of the first event that is folded into it as it comes. */
  readonly cut: number;
  /** Of all: events read so far. */
  readonly rows: number;
  /** Of all: events to be read. */
  readonly of: number;
  readonly complete: boolean;
}

/** All profiles of a partition are looked at once more, since other traits are told than before. */
export interface TraitSweep {
  /** Rises with each change of what is told. */
  readonly epoch: number;
  /** Of traits that are not none. */
  readonly sensitivities: Readonly<Record<string, string>>;
  /** Profile id up to which it was done; null: done. */
  readonly after: string | null;
  /** trait@version whose cells go. */
  readonly dead: readonly string[];
  /** What decides when profiles expire. */
  readonly retention: string;
}

export interface TributaryAmount {
  readonly currency: string;
  /** Integer: millionths of the currency unit. */
  readonly micros: string;
}

export interface TributaryProduct {
  readonly product: string;
  readonly currency: string;
  readonly name: string;
  readonly named_at: number;
  readonly quantity_micros: string;
  readonly micros: string;
}

export interface TributarySession {
  readonly from: number;
  readonly to: number;
  readonly events: number;
}

/** The fold of all events routed by one identifier. Arrays are sorted by their first field. */
export interface Tributary {
  readonly identifier: Identifier;
  readonly kind: string;
  readonly events: number;
  readonly event_counts: readonly EventCount[];
  /** The newest of each path, with what is unset (null): names joined by U+0000. */
  readonly traits: readonly Trait[];
  readonly revenue: readonly TributaryAmount[];
  /** The smallest hashes (52 bits) of order ids. */
  readonly orders: readonly number[];
  /** Sorted by product, currency. */
  readonly products: readonly TributaryProduct[];
  readonly first_touch: Touch | null;
  readonly last_touch: Touch | null;
  /** Of the newest days with any; cut at midnight UTC. */
  readonly sessions: readonly TributarySession[];
  readonly groups: readonly GroupMembership[];
  readonly interactions: readonly Interaction[];
  readonly consents: readonly Consent[];
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  readonly first_seen: number | null;
  readonly last_seen: number | null;
  /** Latest received time folded in. */
  readonly updated_at: number;
}

/** Claims that do not count, by the id of the claim that says so. */
export interface Withdrawal {
  /** claim:<id>, source:<name>, actor:<name>, definition:<kind>/<name>@<version> */
  readonly target: string;
}

export interface TraitOrigin {
  /** JSON Pointer into the traits, such as /address/city. */
  readonly path: string;
  readonly timestamp: number;
  readonly message_id: string;
  readonly source: string;
}

export interface Membership {
  readonly audience: string;
  /** Counts entries; survives regrouping. */
  readonly episode: number;
  readonly since: number;
  readonly definition_version: number;
}

export interface Amount {
  /** ISO 4217 */
  readonly currency: string;
  /** Decimal number with at most six places, exact. */
  readonly amount: string;
}

export interface Product {
  /** product_id, else sku */
  readonly product: string;
  /** ISO 4217 */
  readonly currency: string;
  /** The newest; empty where no event says it. */
  readonly name: string;
  /** Decimal number with at most six places, exact. */
  readonly quantity: string;
  /** Price times quantity: decimal number with at most six places. */
  readonly revenue: string;
}

/** All that is known about a customer: the profile-change feed. Each version appears once, in order. */
export interface Profile {
  readonly profile_id: string;
  /** person or account */
  readonly kind: string;
  /** Rises by one with every record of this profile. */
  readonly version: number;
  /** Sorted by type, value. */
  readonly identifiers: readonly Identifier[];
  /** Sorted by name. Of an object the value is all that is known below that name, and the rest is of the newest part of it. */
  readonly traits: readonly Trait[];
  /** Where parts of objects in traits came from, if not from where their trait says. Sorted by path. */
  readonly trait_origins: readonly TraitOrigin[];
  /** Sorted by name. */
  readonly computed: readonly ComputedTrait[];
  /** Sorted by audience. */
  readonly audiences: readonly Membership[];
  /** Sorted by purpose. */
  readonly consents: readonly Consent[];
  /** Number of events. */
  readonly events: number;
  /** Sorted by event. */
  readonly event_counts: readonly EventCount[];
  /** Sum of the revenue of Order Completed events less refunds, per currency, sorted. */
  readonly revenue: readonly Amount[];
  /** Distinct order ids of Order Completed events; estimated where flags say orders_cut. */
  readonly order_count: number;
  /** What was bought, less what was sent back. Sorted by product, currency. */
  readonly products: readonly Product[];
  /** The earliest event that says what brought the customer here. */
  readonly first_touch: Touch | null;
  /** The latest such event. */
  readonly last_touch: Touch | null;
  /** Visits: events of a device with less than 30 minutes between them. Where flags say sessions_cut, those of the newest 60 days with any. */
  readonly session_count: number;
  /** How long they lasted together, from first to last event, milliseconds. */
  readonly session_ms: number;
  /** When the first of them began. */
  readonly first_session_at: number | null;
  /** When the last began. */
  readonly last_session_at: number | null;
  /** Its latest event. */
  readonly last_session_until: number | null;
  /** How many events it has. */
  readonly last_session_events: number;
  /** The newest 20. Sorted by group. */
  readonly groups: readonly GroupMembership[];
  /** Of the newest 30 those that are open and the last 10 that are closed; newest first. */
  readonly interactions: readonly Interaction[];
  /** Sorted. */
  readonly sources: readonly string[];
  /** Earliest event timestamp. */
  readonly first_seen: number | null;
  /** Latest event timestamp. */
  readonly last_seen: number | null;
  /** Sorted: limits that cut something (traits_cut, event_names_cut …), and quarantined. */
  readonly flags: readonly string[];
  /** Paths of what differs from the previous version: of fields; of traits, computed and consents of each, such as traits.plan. */
  readonly changed: readonly string[];
  /** Message ids that led to this version; at most 20. */
  readonly causes: readonly string[];
  /** event, regroup, window, definition, retention, consent, erasure, replay */
  readonly why: readonly string[];
  /** Received time of the latest cause. */
  readonly updated_at: number;
  /** True in the last value of a profile whose identifiers all left, or that expired; a tombstone follows. */
  readonly gone: boolean;
  /** When gone: the profile that took the last of them; null when it expired. */
  readonly into: string | null;
  readonly definitions: readonly DefinitionVersion[];
  readonly generation: number;
  /** Rises when another generation takes over: readers go over to it all at once. */
  readonly edition: number;
}

/** An identifier of an anonymous profile that expired: what was received of it until then is forgotten. */
export interface ProfileExpiry {
  readonly identifier_type: string;
  /** Keyed hash of the identifier; its value is told nowhere. */
  readonly hash: string;
  /** The profile that expired. */
  readonly profile_id: string;
  /** What was received up to then, this moment included, counts for nothing. */
  readonly until: number;
  readonly decided_at: number;
  readonly generation: number;
}

/** What brought a customer here: an event with a campaign, be it by UTM parameters or by the site that referred. */
export interface Touch {
  /** Corrected time of the event. */
  readonly timestamp: number;
  readonly message_id: string;
  /** Name of the source of the event. */
  readonly source: string;
  /** Address of the page before. */
  readonly referrer: string | null;
  readonly utm_source: string | null;
  readonly utm_medium: string | null;
  readonly utm_campaign: string | null;
  readonly utm_term: string | null;
  readonly utm_content: string | null;
  readonly utm_id: string | null;
}

/** A trait and where it came from. */
export interface Trait {
  readonly name: string;
  /** JSON text as sent. */
  readonly value: string;
  /** Corrected time of the event that set it. */
  readonly timestamp: number;
  readonly message_id: string;
  readonly source: string;
  /** none, personal or sensitive; by the definition of the trait. */
  readonly sensitivity: string;
}

/** The records by name. */
export interface Records {
  AudienceChange: AudienceChange;
  ComputedTrait: ComputedTrait;
  Consent: Consent;
  Definition: Definition;
  DefinitionVersion: DefinitionVersion;
  Delivery: Delivery;
  DeliveryDead: DeliveryDead;
  DeliveryRequest: DeliveryRequest;
  EventCollected: EventCollected;
  EventCount: EventCount;
  EventRejected: EventRejected;
  EventStitched: EventStitched;
  GroupMembership: GroupMembership;
  Identifier: Identifier;
  IdentityChange: IdentityChange;
  IdentityClaim: IdentityClaim;
  IdentityMapping: IdentityMapping;
  Interaction: Interaction;
  Accounting: Accounting;
  Backfill: Backfill;
  TraitCells: TraitCells;
  ClaimRef: ClaimRef;
  Fill: Fill;
  Generation: Generation;
  KnownClaim: KnownClaim;
  Link: Link;
  Linking: Linking;
  Marker: Marker;
  Move: Move;
  Node: Node;
  Origin: Origin;
  Ownership: Ownership;
  PlaceCells: PlaceCells;
  ProfileState: ProfileState;
  Quarantine: Quarantine;
  Resolution: Resolution;
  Seen: Seen;
  Sighting: Sighting;
  Timer: Timer;
  TraitFill: TraitFill;
  TraitSweep: TraitSweep;
  Tributary: Tributary;
  Withdrawal: Withdrawal;
  Profile: Profile;
  ProfileExpiry: ProfileExpiry;
  Touch: Touch;
  Trait: Trait;
}

export type RecordName = keyof Records;
