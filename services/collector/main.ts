import { topics } from '#schemas/topics.ts';
import { followDefinitions } from '#shared/definitions/feed.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { remembering } from '#shared/identity/remembering.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { runServices } from '#shared/service/run-services.ts';
import type { Service } from '#shared/service/service.ts';
import { instruments, readSecret, settingsOf } from '#shared/service/start-up.ts';
import { HttpServer } from './adapters/http-server.ts';
import { RecordWriter } from './adapters/record-writer.ts';
import { options } from './config.ts';
import { Sources } from './core/sources.ts';
import { CollectorMetrics } from './metrics.ts';
import { answer } from './pipeline.ts';

const settings = settingsOf('collector: HTTP in', options);
const { log, metrics: registry } = instruments('collector', settings.logLevel);
const hashing = remembering(hashingWith(readSecret(settings)));
const kafka = createKafka(settings, 'collector');
const codecs = new Codecs(settings.registryUrl);

const admin = kafka.admin();
await admin.connect();
const target = async <N extends 'eventsCollected' | 'eventsRejected'>(name: N) => {
  const topic = settings.prefix + topics[name].name;
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [topic] });
  return { topic, partitions: metadata[0]?.partitions.length ?? 0 };
};
const collected = {
  ...(await target('eventsCollected')),
  codec: await codecs.ofTopic(settings.prefix + topics.eventsCollected.name, 'EventCollected'),
};
const rejected = {
  ...(await target('eventsRejected')),
  codec: await codecs.ofTopic(settings.prefix + topics.eventsRejected.name, 'EventRejected'),
};
await admin.disconnect();

const writer = new RecordWriter(
  kafka,
  { mostBytes: settings.mostWaitingBytes, longestWaitMs: settings.longestWaitMs },
  log,
);
let definitionsLost: (error: Error) => void = () => {};
const lost = new Promise<never>((_, reject) => {
  definitionsLost = reject;
});
lost.catch(() => undefined);
const feed = await followDefinitions(kafka, codecs, settings.prefix, log, definitionsLost);
let sources = new Sources(feed.current());
feed.onChange((definitions) => {
  sources = new Sources(definitions);
});

const metrics = new CollectorMetrics(registry, () => writer.bytes);
const around = {
  sources: () => sources,
  writer,
  collected,
  rejected,
  hashing,
  generation: settings.generation,
  mostBodyBytes: settings.mostBodyBytes,
  trustedProxies: settings.trustedProxies,
  metrics,
  now: () => Date.now(),
};
const server: HttpServer = new HttpServer(
  settings,
  (request) => answer(request, around),
  {
    metrics: registry,
    notReady: () => [
      ...(writer.available ? [] : ['Kafka does not take events']),
      ...(sources.empty ? ['no source is defined'] : []),
      ...(server.stopping ? ['stopping'] : []),
    ],
  },
  metrics,
  log,
);

let stopped = (): void => {};
const beneath: Service = {
  name: 'kafka',
  run: () =>
    Promise.race([
      lost,
      new Promise<void>((resolve) => {
        stopped = resolve;
      }),
    ]),
  stop: async () => {
    await writer.stop();
    await feed.stop();
    stopped();
  },
};
writer.start();
log.info({ port: settings.port }, 'started');
await runServices(log, [beneath, server]);
