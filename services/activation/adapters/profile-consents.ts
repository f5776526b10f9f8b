import type { Consent, DeliveryRequest } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { KafkaClient } from '#shared/kafka/client.ts';
import type { Codecs } from '#shared/kafka/codec.ts';
import { type Reader, readPartitions } from '#shared/kafka/read-partitions.ts';
import type { Log } from '#shared/service/log.ts';
import { LostInfrastructure } from '#shared/task/errors.ts';
import { ConsentView } from '../core/consent-view.ts';

/** Tells what the person that a request is about has consented to, by now. */
export type ConsentsOf = (request: Pick<DeliveryRequest, 'profile_id' | 'routing'>) => Promise<readonly Consent[]>;

/** Follows the profile feed from the first time that somebody asks, and answers once it has caught up. */
export function profileConsents(kafka: KafkaClient, codecs: Codecs, prefix: string, log: Log): ConsentsOf {
  let following: Promise<ConsentView> | undefined;

  async function follow(): Promise<ConsentView> {
    const topic = prefix + topics.profiles.name;
    const codec = await codecs.ofTopic(topic, topics.profiles.value);
    const view = new ConsentView();
    let reader: Reader | undefined;
    let lost: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      lost = reject;
    });
    failed.catch(() => undefined);
    reader = await readPartitions(kafka, [topic], {
      log,
      onLost: (error) => {
        // A view that stands still would let a withdrawn consent pass: the next question starts a new one.
        following = undefined;
        lost(error);
        log.warn({ reason: error.message }, 'the profile feed was lost and is followed anew');
        void reader?.stop().catch(() => undefined);
      },
      onBatch: async ({ messages }) => {
        await codec.prepare(messages.map(({ value }) => value));
        for (const { key, value } of messages) view.take(String(key), value && codec.decode(value));
      },
    });
    await Promise.race([reader.caughtUp(), failed]);
    return view;
  }

  return async (request) => {
    try {
      following ??= follow();
      return (await following).of(request);
    } catch (error) {
      following = undefined;
      throw new LostInfrastructure('consents cannot be read from the profile feed', { cause: error });
    }
  };
}
