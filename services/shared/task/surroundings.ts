import type { Accounting, EventRejected } from '#schemas/generated/records.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import type { Admin, KafkaClient } from '#shared/kafka/client.ts';
import type { Codec } from '#shared/kafka/codec.ts';
import type { Log } from '#shared/service/log.ts';
import type { Stores, Task } from './task.ts';
import type { TaskMetrics } from './task-metrics.ts';

/** A topic to read or write: full name, number of partitions, codec of its values. */
export interface Channel<V = unknown> {
  readonly topic: string;
  readonly partitions: number;
  readonly codec: { encode(value: V): Buffer };
}

/** Holds back, lets on and moves the fetching of one partition number of all inputs. */
export interface Flow {
  hold(partition: number): void;
  letOn(partition: number): void;
  moveTo(partition: number, positions: ReadonlyMap<string, number>): void;
}

/** What all partitions of a task in a process share. */
export interface TaskSurroundings {
  readonly task: Task;
  readonly service: string;
  readonly generation: number;
  readonly groupId: string;
  readonly kafka: KafkaClient;
  readonly admin: Admin;
  readonly log: Log;
  readonly metrics: TaskMetrics;
  readonly definitions: () => Definitions;
  /** By the names that the task gives them. */
  readonly inputs: ReadonlyMap<string, Channel & { readonly codec: Codec }>;
  readonly outputs: ReadonlyMap<string, Channel>;
  readonly rejected: Channel<EventRejected>;
  readonly accounting: Channel<Accounting>;
  /** What the keys of its records there begin with: others count there, too. */
  readonly books: string;
  readonly changelog: string;
  /** By store name, with the loop's own stores. */
  readonly storeCodecs: ReadonlyMap<string, Codec>;
  readonly stateDirectory: string;
  /** Tells whether this member owns the partition now, as the group's coordinator sees it. */
  readonly isOwner: (partition: number) => Promise<boolean>;
  readonly flow: Flow;
  /** How long to try without success before the process gives up, milliseconds. */
  readonly giveUpMs: number;
}

/** The loop's own stores beside those of the task: running totals by topic, and the marker of the last takeover. */
export const TOTALS = '@totals';
export const MARKER = '@marker';
export const ownStores = {
  [TOTALS]: { record: 'Accounting' },
  [MARKER]: { record: 'Marker' },
} as const satisfies Stores;

export function storeCodec(around: Pick<TaskSurroundings, 'storeCodecs'>, store: string): Codec {
  const codec = around.storeCodecs.get(store);
  if (!codec) throw new Error(`no codec for the store ${store}`);
  return codec;
}
