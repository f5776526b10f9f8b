// Follows the profile feed and says what changes: `node docs/examples/subscribe.mjs [GROUP]`.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from './read-committed.mjs';

const {
  TRIBUTARY_KAFKA_BROKERS: brokers = '127.0.0.1:9092',
  TRIBUTARY_REGISTRY_URL: host = 'http://127.0.0.1:8081/apis/ccompat/v7',
  TRIBUTARY_PREFIX: prefix = 'tributary.',
} = process.env;
const topic = `${prefix}profiles`;

const kafka = new Kafka({ clientId: 'subscriber', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: process.argv[2] ?? 'my-subscriber', readUncommitted: false });

// Every record is read as today's schema has it: what an older one lacks has its default, what a newer one adds is left out.
const registry = new SchemaRegistry({ host });
const readerSchema = await registry.getSchema(await registry.getLatestSchemaId(`${topic}-value`));

/** What is known of each profile. Yours is a table: keep the version in the row. */
const known = new Map();

async function take({ message }) {
  const profileId = String(message.key);
  const before = known.get(profileId);
  if (message.value === null) {
    // The tombstone after the last value says nothing new; without that value before it, it is an erasure.
    known.delete(profileId);
    if (before && !before.gone) console.log(`${profileId} erased`);
    return;
  }
  const profile = await registry.decode(message.value, { AVRO: { readerSchema } });
  // After a crash of yours some records come again: (profile_id, version) is the key by which you know them.
  if (before && profile.version <= before.version) return;
  known.set(profileId, profile);
  const { version, gone, into, events, why } = profile;
  if (gone) console.log(`${profileId} version ${version}: gone into ${into}`);
  else console.log(`${profileId} version ${version}: ${events} events, because of ${why.join(', ')}`);
}

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
// An offset is committed only after `take` has ended for its record, so a record that it throws at comes again.
await consumer.run({ eachMessage: take });

// Waits for the record in hand, commits, and leaves the group, whose partitions others then take over at once.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
