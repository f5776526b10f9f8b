// Follows the profile feed and says what changes: `node docs/examples/subscribe.mjs [GROUP]`.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from './read-committed.mjs';

const {
  TRIBUTARY_KAFKA_BROKERS: brokers = '127.0.0.1:9092',
  TRIBUTARY_REGISTRY_URL: host = 'http://127.0.0.1:8081/apis/ccompat/v7',
  TRIBUTARY_PREFIX: prefix = 'tributary.',
} = process.env;

const kafka = new Kafka({ clientId: 'subscriber', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const registry = new SchemaRegistry({ host });
const consumer = kafka.consumer({ groupId: process.argv[2] ?? 'my-subscriber', readUncommitted: false });

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
  const profile = await registry.decode(message.value);
  // After a crash of yours some records come again: what is not newer has been seen.
  if (before && profile.version <= before.version) return;
  known.set(profileId, profile);
  if (profile.gone) console.log(`${profileId} version ${profile.version}: gone into ${profile.into}`);
  else
    console.log(
      `${profileId} version ${profile.version}: ${profile.events} events, because of ${profile.why.join(', ')}`,
    );
}

await consumer.connect();
await consumer.subscribe({ topic: `${prefix}profiles`, fromBeginning: true });
await consumer.run({ eachMessage: take });

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
