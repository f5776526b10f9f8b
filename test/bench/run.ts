/**
 * `npm run bench`: what this machine makes of it, each part beside what it is compared with. Starts a platform of its own in a
 * temporary directory. Nothing is asserted: whoever reads the figures knows the machine.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Difference } from '../support/delivery.ts';
import { startPlatform } from '../support/platform.ts';
import { benchCollector, type CollectorFigures } from './collector.ts';
import { openGround } from './ground.ts';
import {
  benchCrowd,
  benchIdentityStages,
  benchOrderByHttp,
  benchRegroup,
  type CrowdFigures,
  type IdentityStages,
  type RegroupFigures,
} from './identity.ts';
import { benchOrder, benchQuality, type OrderFigures, type QualityFigures } from './identity-quality.ts';
import { benchComputing, benchCrowds, benchReadApi, type ComputingFigures, type ReadApiFigures } from './profiles.ts';
import type { CoreFigures } from './projector-core.ts';
import { type BesideFigures, benchBeside, benchReplay, type ReplayFigures } from './replay.ts';
import {
  besideLines,
  collectorTable,
  computingTable,
  crowdsTable,
  identityTable,
  latencyLine,
  orderTable,
  qualityTable,
  readApiTable,
  replayTable,
  riverTable,
  stagesTable,
  viewsTable,
} from './report.ts';
import { benchLatency, benchRiver, type LatencyFigures, openRiver, type RiverFigures } from './river.ts';
import { benchStages, type StageFigures } from './stages.ts';
import { benchViews, type ViewFigures } from './warehouse.ts';

const sections = ['collector', 'stages', 'river', 'latency', 'identity', 'profiles', 'replay'] as const;
type Section = (typeof sections)[number];

const usage = `npm run bench [-- [${sections.join('] [')}]] [--quick] [--only LIST] [--json]

  --quick      shorter, and rougher
  --only LIST  only these parts, as if they stood alone, with commas between
  --port-base  first of nine ports; free ones are picked by default
  --profile    directory for CPU profiles of the services
  --json       the figures as JSON`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: sections.join(',') },
    'port-base': { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const { quick, json } = values;
const wanted = new Set(positionals.length > 0 ? positionals : values.only.split(','));
const unknown = [...wanted].filter((one) => !sections.includes(one as Section));
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `there is no part ${unknown.join(', ')}\n\n${usage}` : usage);
  process.exit(values.help ? 0 : 2);
}
/** What is measured of identity. */
interface IdentityFigures {
  readonly quality: QualityFigures[];
  readonly order: OrderFigures[];
  readonly orderByHttp: Difference;
  readonly stages: IdentityStages;
  readonly crowd: CrowdFigures[];
  readonly regroup: RegroupFigures;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const loadOf = (): string =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');

const machine = {
  cores: cpus().length,
  processor: cpus()[0]?.model ?? '',
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
  loadBefore: loadOf(),
};
say(
  `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, Node ${machine.node}; load before ${machine.loadBefore}`,
);
say('starting Kafka, the registry and ClickHouse');
const base = values['port-base'];
const platform = await startPlatform(base === undefined ? {} : { portBase: Number(base) });
const figures: {
  collector?: CollectorFigures[];
  stages?: StageFigures[];
  river?: RiverFigures;
  latency?: LatencyFigures;
  identity?: IdentityFigures;
  views?: ViewFigures[];
  computing?: ComputingFigures[];
  crowds?: CoreFigures[];
  readApi?: ReadApiFigures;
  replay?: ReplayFigures[];
  beside?: BesideFigures;
} = {};
/** Tells what is there already: the rest takes minutes. */
const told = (text: string): void => say(`\n${text}`);
const pid = (name: string): number => platform.platform.units().find((unit) => unit.name === name)?.pid ?? 0;

async function bench(): Promise<void> {
  if (wanted.has('collector')) {
    say('collector beside the bare loop');
    const ground = await openGround(platform, values.profile);
    const times = quick ? { rounds: 1, seconds: 2, warmUpSeconds: 1.5 } : { rounds: 3, seconds: 4, warmUpSeconds: 2 };
    figures.collector = await benchCollector(ground, pid('kafka'), times);
    told(collectorTable(figures.collector));
    await ground.close();
  }
  if (wanted.has('stages')) {
    say('stitcher and projector alone');
    const ground = await openGround(platform, values.profile);
    figures.stages = await benchStages(ground, pid('kafka'), { events: quick ? 60_000 : 200_000 });
    told(stagesTable(figures.stages));
    await ground.close();
  }
  if (wanted.has('identity')) figures.identity = await benchIdentity();
  if (wanted.has('profiles')) {
    say('the projector with ten computed traits');
    const rounds = quick ? { events: 30_000, rounds: 2 } : { events: 100_000, rounds: 3 };
    figures.computing = await benchComputing(platform, pid('kafka'), rounds, values.profile);
    told(computingTable(figures.computing));
    say('what an event costs by the number of profiles');
    const crowds = quick ? [1_000, 10_000, 50_000] : [10_000, 100_000, 1_000_000];
    figures.crowds = await benchCrowds(crowds, quick ? 20_000 : 40_000);
    told(crowdsTable(figures.crowds));
    say('the read API');
    const many = quick ? { profiles: 50_000, seconds: 8 } : { profiles: 1_000_000, seconds: 20 };
    figures.readApi = await benchReadApi(platform, pid('kafka'), many, values.profile);
    told(readApiTable(figures.readApi));
    say('the view of events beside its table');
    const ground = await openGround(platform, values.profile);
    const size = { rows: quick ? 400_000 : 10_000_000, rounds: quick ? 5 : 9 };
    figures.views = await benchViews(ground, pid('clickhouse'), size);
    told(viewsTable(figures.views));
    await ground.close();
  }
  if (wanted.has('replay')) {
    say('a generation rebuilt from the event log');
    const pids = { kafka: pid('kafka'), clickhouse: pid('clickhouse') };
    figures.replay = [];
    for (const events of quick ? [100_000, 1_000_000] : [1_000_000, 10_000_000])
      figures.replay.push(await benchReplay(platform, pids, events, say, values.profile));
    told(replayTable(figures.replay));
    say('latency of the river beside a replay');
    const size = quick ? { history: 100_000, seconds: 20 } : { history: 200_000, seconds: 30 };
    figures.beside = await benchBeside(platform, pids, { ...size, bound: 2_000 });
    told(besideLines(figures.beside));
  }
  if (!wanted.has('river') && !wanted.has('latency')) return;
  const ground = await openGround(platform, values.profile);
  const river = await openRiver(ground);
  if (wanted.has('river')) {
    say('the whole river');
    const pids = { kafka: pid('kafka'), registry: pid('registry'), clickhouse: pid('clickhouse') };
    figures.river = await benchRiver(river, pids, {
      events: quick ? 40_000 : 200_000,
      warmUpEvents: quick ? 10_000 : 40_000,
    });
    told(riverTable(figures.river, machine.cores));
  }
  if (wanted.has('latency')) {
    say('latency at 1,000 events/s');
    figures.latency = await benchLatency(river, { rate: 1_000, seconds: quick ? 8 : 30 });
    told(latencyLine(figures.latency));
  }
  await river.clickhouse.close();
  await ground.close();
}

async function benchIdentity(): Promise<IdentityFigures> {
  say('quality and order of the identity stream, in memory');
  const quality = benchQuality();
  told(qualityTable(quality));
  const order = benchOrder();
  told(orderTable(order));
  say('the identity stream by HTTP, in order and shuffled');
  const orderByHttp = await benchOrderByHttp(platform);
  say('resolver and linker alone');
  const size = quick ? { events: 100_000, claims: 60_000 } : { events: 300_000, claims: 300_000 };
  const stages = await benchIdentityStages(platform, pid('kafka'), size, values.profile);
  say('an address of everybody, and a kiosk');
  const people = quick ? { people: 5_000, logIns: 2_000 } : { people: 20_000, logIns: 5_000 };
  const crowd = await benchCrowd(platform, pid('kafka'), people);
  say('regrouping at 1,000 events/s');
  const ground = await openGround(platform, values.profile);
  const river = await openRiver(ground);
  const regroup = await benchRegroup(river, { rate: 1_000, links: quick ? 10 : 40 });
  await river.clickhouse.close();
  await ground.close();
  const all = { quality, order, orderByHttp, stages, crowd, regroup };
  told(identityTable(all));
  return all;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void platform.stop().finally(() => process.exit(1)));
try {
  await bench();
} finally {
  await platform.stop();
}
const facts = { ...machine, loadAfter: loadOf() };
if (json) console.log(JSON.stringify({ machine: facts, ...figures }, null, 2));
else {
  console.log(
    `\n${facts.cores} cores (${facts.processor}), ${facts.memoryGb} GB, Node ${facts.node}; load ${facts.loadBefore} before, ${facts.loadAfter} after\n`,
  );
  if (figures.collector) console.log(collectorTable(figures.collector));
  if (figures.stages) console.log(stagesTable(figures.stages));
  if (figures.river) console.log(riverTable(figures.river, facts.cores));
  if (figures.latency) console.log(latencyLine(figures.latency));
  if (figures.computing) console.log(computingTable(figures.computing));
  if (figures.crowds) console.log(crowdsTable(figures.crowds));
  if (figures.readApi) console.log(readApiTable(figures.readApi));
  if (figures.views) console.log(viewsTable(figures.views));
  if (figures.replay) console.log(replayTable(figures.replay));
  if (figures.beside) console.log(besideLines(figures.beside));
  if (figures.identity) {
    console.log(qualityTable(figures.identity.quality));
    console.log(orderTable(figures.identity.order));
    console.log(identityTable(figures.identity));
  }
}
process.exit(0);
