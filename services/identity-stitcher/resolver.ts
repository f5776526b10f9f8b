import type { EventCollected, IdentityMapping, Resolution } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { defineTask, type Input } from '#shared/task/task.ts';
import { BoundedMemo } from './core/bounded-memo.ts';
import { defaultProfiles } from './core/default-profiles.ts';
import { Duplicates } from './core/duplicates.ts';
import { messageIdHash } from './core/message-id.ts';
import { resolutionAfter } from './core/resolutions.ts';
import { idsOfChunk } from './core/seen-chunk.ts';
import { Sightings, type Times } from './core/sightings.ts';

const MEMO_SIZE = 50_000;

/** Says at once which profile an event belongs to, and claims what it shows about identifiers. */
export const createResolver = ({ hashing, generation }: { readonly hashing: Hashing; readonly generation: number }) => {
  const defaultProfile = defaultProfiles(hashing);
  const sighted = new BoundedMemo<Times>(MEMO_SIZE);

  return defineTask({
    name: 'resolver',
    inputs: { event: topics.eventsCollected, mapping: topics.identityMappings },
    outputs: { stitched: topics.eventsStitched, claim: topics.identityClaims },
    stores: {
      /** By identifier hash: its profile, once it has left the default one. */
      resolution: { record: 'Resolution' },
      /** By received hour and offset: the message ids of all events. */
      seen: { record: 'Seen', members: idsOfChunk },
      /** By claim id. */
      sighting: { record: 'Sighting' },
    },
    process(inputs, work) {
      const partition = inputs[0]?.partition ?? 0;
      const duplicates = new Duplicates({
        holds: (id) => work.holds('seen', id),
        get: (key) => work.get('seen', key),
        put: (key, chunk) => work.put('seen', key, chunk),
      });
      const sightings = new Sightings(
        { get: (id) => work.get('sighting', id), put: (id, sighting) => work.put('sighting', id, sighting) },
        { partition, generation },
        sighted,
        (claim) => work.emit('claim', claim.claim_id, claim, claim.received_at),
      );

      const learn = (input: Input<'mapping', IdentityMapping>): void => {
        if (!input.value) {
          work.remove('resolution', input.key);
          work.settle(input, 'removed');
          return;
        }
        const resolution = resolutionAfter(work.get('resolution', input.key), input.value);
        if (resolution !== 'stale') work.put('resolution', input.key, resolution);
        work.settle(input, resolution === 'stale' ? 'stale' : 'learned');
      };

      const stitch = (input: Input, event: EventCollected): void => {
        const routing = event.identifiers[0];
        if (!routing) {
          work.reject(input, { reason: 'no_identifier', message: 'the event has no usable identifier' });
          return;
        }
        if (routing.hash !== input.key) {
          work.reject(input, {
            reason: 'misrouted',
            message: 'the record key is not the hash of the first identifier',
          });
          return;
        }
        if (duplicates.take(messageIdHash(event.source, event.message_id), event.received_at, input.offset)) {
          work.settle(input, 'duplicate');
          return;
        }
        sightings.see(event);
        const resolution = work.get('resolution', routing.hash);
        const place = resolution ?? { profile_id: defaultProfile(routing.hash), version: 0, generation };
        work.emit('stitched', place.profile_id, stitched(event, place), event.received_at);
        work.settle(input, 'stitched');
      };

      for (const input of inputs) {
        if (input.input === 'mapping') learn(input);
        else if (input.value) stitch(input, input.value);
        else work.reject(input, { reason: 'empty', message: 'a record without a value' });
      }
      duplicates.finish();
    },
  });
};

/** Written out: a literal of known shape is several times cheaper than a spread, and this runs for every event. */
const stitched = (event: EventCollected, { profile_id, version, generation }: Resolution) => ({
  message_id: event.message_id,
  type: event.type,
  event: event.event,
  source: event.source,
  user_id: event.user_id,
  anonymous_id: event.anonymous_id,
  original_timestamp: event.original_timestamp,
  sent_at: event.sent_at,
  received_at: event.received_at,
  timestamp: event.timestamp,
  flags: event.flags,
  kind: event.kind,
  identifiers: event.identifiers,
  payload: event.payload,
  ip: event.ip,
  enrichment: event.enrichment,
  consents: event.consents,
  currency: event.currency,
  definitions: event.definitions,
  generation,
  profile_id,
  mapping_version: version,
});
