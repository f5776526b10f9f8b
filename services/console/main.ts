import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClickHouse } from '#shared/clickhouse/client.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { createKafka } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import { runServices } from '#shared/service/run-services.ts';
import { instruments, readSecret, settingsOf } from '#shared/service/start-up.ts';
import { ApiServer } from './adapters/api-server.ts';
import { DefinitionsInForce } from './adapters/definitions-in-force.ts';
import { DigestMeter } from './adapters/digest-meter.ts';
import { IdentityWarehouse } from './adapters/identity-warehouse.ts';
import { LiveStream } from './adapters/live-stream.ts';
import { pageFiles } from './adapters/page-files.ts';
import { ProfileView } from './adapters/profile-view.ts';
import { queryOf } from './adapters/query.ts';
import { Tokens } from './adapters/tokens.ts';
import { TraitView } from './adapters/trait-view.ts';
import { Warehouse } from './adapters/warehouse.ts';
import { answerTo } from './answer.ts';
import { answerAboutIdentity } from './answer-identity.ts';
import { options } from './config.ts';
import { documentOf } from './core/document.ts';
import { isAboutIdentity } from './core/route.ts';

const settings = settingsOf('console: what do we know about a customer?', options);
const { log, metrics } = instruments('console', settings.logLevel);
const own = readFileSync(settings.apiTokenFile || join(settings.dataDirectory, 'api-token'), 'utf8').trim();
if (own.length < 16) throw new Error('the API token must have at least 16 characters');
const perSecond = settings.apiRequestsPerSecond;
const tokens = new Tokens({
  own,
  path: settings.apiTokensFile,
  limit: perSecond > 0 ? { perSecond, burst: 2 * perSecond } : undefined,
  log,
});
const hashing = hashingWith(readSecret(settings));

const kafka = createKafka(settings, 'console');
const codecs = new Codecs(settings.registryUrl);
const definitions = new DefinitionsInForce(kafka, codecs, settings.prefix, settings.generation, log);
const view = new ProfileView({
  kafka,
  codecs,
  prefix: settings.prefix,
  hashing,
  directory: join(settings.dataDirectory, 'state', `g${settings.generation}`, 'console'),
  log,
});
const clickhouse = createClickHouse(settings, 'tributary-console');
const { clickhouseDatabase, clickhouseCluster } = settings;
const query = queryOf(clickhouse, clickhouseDatabase);
const traitView = new TraitView(clickhouse, { database: clickhouseDatabase, cluster: clickhouseCluster }, log);
definitions.onChange((current) => traitView.want(current));
const everyMs = settings.digestMinutes * 60_000;
const meter = new DigestMeter({ view, warehouse: new Warehouse(query, view.edition), everyMs, metrics, log });
const { prefix, generation, pageCollectorUrl, pageWriteKey } = settings;
/** What one answer is made from: all of the edition that was seen when it was asked for. */
const sources = () => ({
  ...{ hashing, view },
  warehouse: new Warehouse(query, view.edition),
  identity: new IdentityWarehouse(query, view.edition),
  rules: () => definitions.rules,
  filling: () => definitions.filling(),
});
const document = documentOf();
const sending = pageCollectorUrl === '' ? undefined : { collectorUrl: pageCollectorUrl, writeKey: pageWriteKey };
const live = new LiveStream({ kafka, codecs, prefix, sending, metrics, log });
const api = new ApiServer({
  host: settings.apiHost,
  port: settings.apiPort,
  grantOf: (shown) => tokens.grantOf(shown),
  now: () => performance.now(),
  metrics,
  notReady: () => [...view.notReady(), ...definitions.notReady()],
  answer: async (question, { scopes }) => {
    if (question.part === 'document') return document;
    if (isAboutIdentity(question)) return answerAboutIdentity(question, { ...sources(), prefix, generation });
    const rights = { sensitive: scopes.has('sensitive:read'), sensitiveTraits: definitions.sensitiveTraits };
    return answerTo(question, rights, sources());
  },
  page: pageFiles(join(import.meta.dirname, 'page'), pageCollectorUrl),
  live,
  log,
});
await runServices(log, [tokens, traitView, definitions, view, api, live, meter]);
