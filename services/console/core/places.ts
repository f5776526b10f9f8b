import { changelogTopic, deadTopic, deliveryTopic, fillsTopic, movesTopic, topics } from '#schemas/topics.ts';

/** How many rows ClickHouse's tables hold of somebody. */
export interface RowCounts {
  readonly events_log: number;
  readonly events_week: number;
  readonly identity_mappings: number;
  readonly identity_claims_log: number;
  readonly identity_changes_log: number;
  readonly moved_month: number;
  readonly profile_versions: number;
  readonly profile_expiries_log: number;
  readonly audience_changes_log: number;
  readonly deliveries_log: number;
}

/** What a topic holds of somebody. */
export interface TopicHolding {
  readonly topic: string;
  /** About how many records, by what ClickHouse has read of it; null: that cannot be told without reading the topic. */
  readonly records: number | null;
  readonly holds: 'yes' | 'no' | 'unknown';
}

export interface Requests {
  readonly destination: string;
  /** Within the retention of the topic of requests, and of that of requests that were given up. */
  readonly requests_week: number;
  readonly dead_month: number;
}

const counted = (topic: string, records: number): TopicHolding => ({
  topic,
  records,
  holds: records > 0 ? 'yes' : 'no',
});
const guessed = (topic: string, holds: TopicHolding['holds']): TopicHolding => ({ topic, records: null, holds });
const yesIf = (count: number): 'yes' | 'no' => (count > 0 ? 'yes' : 'no');

/** The topics that hold something of somebody, or may. Names are without the installation's prefix. */
export function topicsOf(rows: RowCounts, requests: readonly Requests[], generation: number): TopicHolding[] {
  return [
    counted(topics.eventsCollected.name, rows.events_week),
    counted(topics.eventsStitched.name, rows.events_week),
    // Nobody knows whose what cannot be read is.
    guessed(topics.eventsRejected.name, 'unknown'),
    counted(topics.identityClaims.name, rows.identity_claims_log),
    counted(topics.identityMappings.name, rows.identity_mappings),
    counted(topics.identityChanges.name, rows.identity_changes_log),
    // Compaction has taken some of the versions, nobody knows which.
    guessed(topics.profiles.name, yesIf(rows.profile_versions)),
    counted(topics.profileExpiries.name, rows.profile_expiries_log),
    counted(topics.audienceChanges.name, rows.audience_changes_log),
    ...requests.flatMap(({ destination, requests_week, dead_month }) => [
      counted(deliveryTopic(destination).name, requests_week),
      counted(deadTopic(destination).name, dead_month),
    ]),
    counted(topics.deliveries.name, rows.deliveries_log),
    guessed(movesTopic(generation).name, rows.moved_month > 0 ? 'unknown' : 'no'),
    // Nobody knows when traits were last filled.
    guessed(fillsTopic(generation).name, rows.events_log > 0 ? 'unknown' : 'no'),
    guessed(changelogTopic(generation, 'resolver', 'many').name, yesIf(rows.events_log)),
    guessed(changelogTopic(generation, 'linker', 1).name, yesIf(rows.identity_claims_log)),
    guessed(changelogTopic(generation, 'projector', 'many').name, yesIf(rows.events_log)),
  ];
}

/** Folders of services that hold something of somebody, below their data directory. */
export function localStateOf(rows: RowCounts, isInView: boolean, generation: number) {
  const folder = (task: string): string => `state/g${generation}/${task}`;
  return [
    {
      folder: folder('resolver'),
      what: 'ids of messages, claims made, profiles of identifiers',
      holds: yesIf(rows.events_log),
    },
    { folder: folder('linker'), what: 'the identity graph', holds: yesIf(rows.identity_claims_log) },
    { folder: folder('projector'), what: 'what events add up to, by identifier', holds: yesIf(rows.events_log) },
    { folder: folder('console'), what: 'a copy of the profile, and of mappings', holds: yesIf(Number(isInView)) },
  ] as const;
}
