// Sets a consumer group's offset: `node docs/examples/set-offset.mjs GROUP TOPIC PARTITION OFFSET`. What `kafka-consumer-groups
// --reset-offsets --to-offset` does, for where that is not at hand. The group must have no members: it is tried for two minutes, since
// a process that is being restarted is away again and again. Read docs/operations.md before you use it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from './read-committed.mjs';

const [groupId, topic, partition, offset] = process.argv.slice(2);
if (!/^\d+$/.test(partition ?? '') || !/^\d+$/.test(offset ?? '')) {
  console.error('set-offset.mjs GROUP TOPIC PARTITION OFFSET');
  process.exit(2);
}
const { TRIBUTARY_KAFKA_BROKERS: brokers = '127.0.0.1:9092' } = process.env;
const kafka = new Kafka({ clientId: 'set-offset', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
const end = Date.now() + 120_000;
for (;;) {
  const { groups } = await admin.describeGroups([groupId]);
  const { state, members } = groups[0];
  if (members.length === 0 && (state === 'Empty' || state === 'Dead')) break;
  if (Date.now() > end) {
    console.error(`${groupId} has ${members.length} members (${state}): stop them first`);
    process.exit(1);
  }
  await sleep(100);
}
const [before] = await admin.fetchOffsets({ groupId, topics: [topic] });
await admin.setOffsets({ groupId, topic, partitions: [{ partition: Number(partition), offset }] });
const was = before?.partitions.find((one) => one.partition === Number(partition))?.offset ?? '-1';
console.log(`${groupId} ${topic}/${partition}: ${was === '-1' ? 'none' : was} → ${offset}`);
await admin.disconnect();
