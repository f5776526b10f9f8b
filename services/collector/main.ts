import { topics } from '#schemas/topics.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { remembering } from '#shared/identity/remembering.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { RateLimits } from '#shared/service/rate-limits.ts';
import { runServices } from '#shared/service/run-services.ts';
import { instruments, readSecret, settingsOf } from '#shared/service/start-up.ts';
import { readBrowserSdk } from './adapters/browser-sdk-files.ts';
import { GeoFile } from './adapters/geo-file.ts';
import { HttpServer } from './adapters/http-server.ts';
import { Installation } from './adapters/installation.ts';
import { RecordWriter } from './adapters/record-writer.ts';
import { options } from './config.ts';
import { BytesInHand } from './core/bytes-in-hand.ts';
import { rememberingAgents } from './core/user-agent.ts';
import { CollectorMetrics } from './metrics.ts';
import { answer } from './pipeline.ts';

const settings = settingsOf('collector: HTTP in', options);
const { log, metrics: registry } = instruments('collector', settings.logLevel);
const kafka = createKafka(settings, 'collector');
const installation = new Installation(kafka, new Codecs(settings.registryUrl), settings.prefix, log);
const writer = new RecordWriter(
  kafka,
  settings.prefix + topics.eventsCollected.name,
  { mostBytes: settings.mostWaitingBytes, longestWaitMs: settings.longestWaitMs },
  log,
);
const geoFile = settings.geoFile === '' ? undefined : new GeoFile(settings.geoFile, log);
const inHand = new BytesInHand(settings.mostBytesInHand);
const metrics = new CollectorMetrics(
  registry,
  () => writer.bytes,
  () => inHand.bytes,
);
const around = {
  known: () => installation.known,
  writer,
  hashing: remembering(hashingWith(readSecret(settings))),
  generation: settings.generation,
  mostBodyBytes: settings.mostBodyBytes,
  inHand,
  rateLimits: new RateLimits(),
  knowledge: {
    agentOf: rememberingAgents(),
    locationOf: (address: string) => geoFile?.locationOf(address),
  },
  trustedProxies: settings.trustedProxies,
  browserSdk: readBrowserSdk(),
  metrics,
  now: Date.now,
};
const server: HttpServer = new HttpServer(settings, {
  answer: (request) => answer(request, around),
  health: {
    metrics: registry,
    notReady: () => [
      ...(writer.available ? [] : ['Kafka does not take events']),
      ...(installation.known ? [] : ['the sources are not known yet']),
      ...(geoFile?.ready === false ? ['the geo file is not read yet'] : []),
      ...(server.stopping ? ['stopping'] : []),
    ],
  },
  metrics,
  log,
});

await runServices(log, [installation, ...(geoFile ? [geoFile] : []), writer, server]);
