import type { RecordName } from './generated/records.ts';

/** Hours and days in milliseconds, as Kafka wants retention. */
const DAY = 86_400_000;

/** One row of the catalogue: all that a topic promises. */
export interface Topic {
  /** Name without the installation's prefix. Internal topics carry the generation. */
  readonly name: string;
  /** What the key is. Keys never hold personal data. */
  readonly key: string;
  /** Record in `schemas/avro` of the value. */
  readonly value: RecordName;
  /** Topics of one task have equal numbers, so that they can be co-partitioned. */
  readonly partitions: 'many' | 1;
  readonly cleanup: 'delete' | 'compact';
  /** How long records stay (delete), or stay at least uncompacted (compact). Milliseconds; -1 is for ever. */
  readonly retention: number;
  /**
   * What retention counts from: the received time that a record carries, or, for records that may carry an old one, the time
   * of writing.
   */
  readonly time?: 'received' | 'written';
  /** The service that writes it. */
  readonly owner: 'collector' | 'identity-stitcher' | 'profile-projector' | 'activation' | 'console' | 'all';
  readonly doc: string;
}

const catalogue = {
  eventsCollected: {
    name: 'events.collected',
    key: 'routing identifier (keyed hash)',
    value: 'EventCollected',
    partitions: 'many',
    cleanup: 'delete',
    retention: 7 * DAY,
    owner: 'collector',
    doc: 'The event as accepted, with its four times, source, enrichment and consents.',
  },
  eventsRejected: {
    name: 'events.rejected',
    key: 'source',
    value: 'EventRejected',
    partitions: 'many',
    cleanup: 'delete',
    retention: 30 * DAY,
    owner: 'all',
    doc: 'What could not be processed: original bytes, stage, reason, violations.',
  },
  identityClaims: {
    name: 'identity.claims',
    key: 'claim id',
    value: 'IdentityClaim',
    partitions: 1,
    cleanup: 'compact',
    retention: 0,
    owner: 'identity-stitcher',
    doc: 'The identity graph as a set of claims. Never expires.',
  },
  identityMappings: {
    name: 'identity.mappings',
    key: 'identifier (keyed hash)',
    value: 'IdentityMapping',
    partitions: 'many',
    cleanup: 'compact',
    retention: 0,
    owner: 'identity-stitcher',
    doc: 'Profile of every identifier that ever left its default profile.',
  },
  identityChanges: {
    name: 'identity.changes',
    key: 'profile id',
    value: 'IdentityChange',
    partitions: 'many',
    cleanup: 'delete',
    retention: 365 * DAY,
    owner: 'identity-stitcher',
    doc: 'What was discovered, moved, refused, put in quarantine or released, and why.',
  },
  eventsStitched: {
    name: 'events.stitched',
    key: 'profile id',
    value: 'EventStitched',
    partitions: 'many',
    cleanup: 'delete',
    retention: 7 * DAY,
    owner: 'identity-stitcher',
    doc: 'The event with its profile and the mapping version that said so.',
  },
  profiles: {
    name: 'profiles',
    key: 'profile id',
    value: 'Profile',
    partitions: 'many',
    cleanup: 'compact',
    retention: 7 * DAY,
    owner: 'profile-projector',
    doc: 'The profile-change feed: every version once, in order; a last value and a tombstone when it is gone.',
  },
  profileExpiries: {
    name: 'profile.expiries',
    key: 'default profile id of the identifier',
    value: 'ProfileExpiry',
    partitions: 'many',
    cleanup: 'compact',
    retention: 0,
    owner: 'profile-projector',
    doc: 'Identifiers of anonymous profiles that expired, and until when what was received of them is forgotten. Without their values.',
  },
  audienceChanges: {
    name: 'audience.changes',
    key: 'profile id',
    value: 'AudienceChange',
    partitions: 'many',
    cleanup: 'delete',
    retention: 365 * DAY,
    owner: 'profile-projector',
    doc: 'Profiles entering and exiting audiences.',
  },
  definitions: {
    name: 'definitions',
    key: 'kind/name',
    value: 'Definition',
    partitions: 1,
    cleanup: 'compact',
    retention: 0,
    owner: 'console',
    doc: 'Sources, identity rules, destinations and all else that is configured, with version, actor and reason.',
  },
  deliveries: {
    name: 'deliveries',
    key: 'profile id',
    value: 'Delivery',
    partitions: 'many',
    cleanup: 'delete',
    retention: 365 * DAY,
    owner: 'activation',
    doc: 'The ledger of what was sent to whom, under which consent, with what answer.',
  },
} as const satisfies Record<string, Topic>;

/** Public topics, by the name that code uses for them. */
export const topics = catalogue;

/** Requests to one destination, in order per profile. */
export const deliveryTopic = (destination: string): Topic & { readonly value: 'DeliveryRequest' } => ({
  name: `delivery.${destination}`,
  key: 'profile id',
  value: 'DeliveryRequest',
  partitions: 'many',
  cleanup: 'delete',
  retention: 7 * DAY,
  owner: 'activation',
  doc: `Requests to the destination ${destination}.`,
});

/** Requests to one destination that were given up. */
export const deadTopic = (destination: string): Topic & { readonly value: 'DeliveryDead' } => ({
  name: `delivery.${destination}.dead`,
  key: 'profile id',
  value: 'DeliveryDead',
  partitions: 'many',
  cleanup: 'delete',
  retention: 30 * DAY,
  owner: 'activation',
  doc: `Requests to the destination ${destination} that were given up, with the reason.`,
});

/** Internal: tributaries on their way between profiles. Keeps all, since both sides must have committed. */
export const movesTopic = (generation: number): Topic & { readonly value: 'Move' } => ({
  name: `internal.g${generation}.moves`,
  key: 'profile id',
  value: 'Move',
  partitions: 'many',
  cleanup: 'delete',
  retention: 30 * DAY,
  time: 'written',
  owner: 'profile-projector',
  doc: 'Tributaries on their way from one profile to another.',
});

/** Internal: what history says for computed traits, on its way to their partitions. */
export const fillsTopic = (generation: number): Topic & { readonly value: 'Fill' } => ({
  name: `internal.g${generation}.fills`,
  key: 'profile id',
  value: 'Fill',
  partitions: 'many',
  cleanup: 'delete',
  retention: 30 * DAY,
  time: 'written',
  owner: 'profile-projector',
  doc: 'What the event log says for computed traits that are new.',
});

/** Internal: how far each version of a computed trait is. */
export const traitFillsTopic = (generation: number): Topic & { readonly value: 'TraitFill' } => ({
  name: `internal.g${generation}.trait-fills`,
  key: 'trait@version/partition',
  value: 'TraitFill',
  partitions: 1,
  cleanup: 'compact',
  retention: 0,
  owner: 'profile-projector',
  doc: 'From which event on each partition folds a computed trait, and how much of the history before was read.',
});

/** Internal: running totals of every task, so that the books can be added up anywhere. */
export const accountingTopic = (generation: number): Topic & { readonly value: 'Accounting' } => ({
  name: `internal.g${generation}.accounting`,
  key: 'service/task/topic/partition',
  value: 'Accounting',
  partitions: 1,
  cleanup: 'compact',
  retention: 0,
  owner: 'all',
  doc: 'Running totals: records taken in, and what became of them. Keys of other generations begin with g<N>/.',
});

/** Internal: which generations there are. */
export const generationsTopic = {
  name: 'internal.generations',
  key: 'generation',
  value: 'Generation',
  partitions: 1,
  cleanup: 'compact',
  retention: 0,
  owner: 'console',
  doc: 'Which generations there are, and which is live.',
} as const satisfies Topic;

/**
 * Internal: where a generation that is not live puts out what others would read of it, in the place of the public topics. What it said
 * of changes of identities while it was not live its projector reads there at any time.
 */
export const quietTopics = (generation: number) => ({
  identityMappings: { ...topics.identityMappings, name: `internal.g${generation}.identity.mappings` },
  identityChanges: { ...topics.identityChanges, name: `internal.g${generation}.identity.changes` },
  identityClaims: { ...topics.identityClaims, name: `internal.g${generation}.identity.claims` },
  profiles: { ...topics.profiles, name: `internal.g${generation}.profiles` },
});

/** Internal: what the tasks of a generation that speak to others are told when another one becomes live. */
export const controlTopic = (
  generation: number,
  task: 'linker' | 'projector',
): Topic & { readonly value: 'Control' } => ({
  name: `internal.g${generation}.${task}.control`,
  key: task === 'linker' ? 'identifier (keyed hash), or profile id' : 'profile id',
  value: 'Control',
  partitions: task === 'linker' ? 1 : 'many',
  cleanup: 'delete',
  retention: 30 * DAY,
  time: 'written',
  owner: 'console',
  doc: `When the ${task} speaks to all, and what is published by then.`,
});

/** Internal: what became of that. */
export const rolesTopic = (generation: number): Topic & { readonly value: 'Role' } => ({
  name: `internal.g${generation}.roles`,
  key: 'task/partition',
  value: 'Role',
  partitions: 1,
  cleanup: 'compact',
  retention: 0,
  owner: 'all',
  doc: 'Which parts of a generation speak to all.',
});

/** The internal topics that are not a task's own. */
export const internalTopics = (generation: number, booksGeneration = generation) => [
  movesTopic(generation),
  fillsTopic(generation),
  traitFillsTopic(generation),
  accountingTopic(booksGeneration),
  controlTopic(generation, 'linker'),
  controlTopic(generation, 'projector'),
  rolesTopic(generation),
  quietTopics(generation).identityMappings,
  quietTopics(generation).identityChanges,
  quietTopics(generation).profiles,
];

/** Internal: the state of one task's partition, from which a lost disk is rebuilt. Values vary by key prefix. */
export const changelogTopic = (generation: number, task: string, partitions: 'many' | 1): Topic => ({
  name: `internal.g${generation}.${task}.changelog`,
  key: 'store/key',
  value: 'Marker',
  partitions,
  cleanup: 'compact',
  retention: 0,
  owner: 'all',
  doc: `State of the task ${task}.`,
});
