import type { Difference } from '../support/delivery.ts';
import type { Quality } from '../support/identity-quality.ts';
import type { CollectorFigures } from './collector.ts';
import { type CrowdFigures, type IdentityStages, type RegroupFigures, regroupQuantiles } from './identity.ts';
import type { OrderFigures, QualityFigures } from './identity-quality.ts';
import type { ComputingFigures, ReadApiFigures } from './profiles.ts';
import type { CoreFigures } from './projector-core.ts';
import type { BesideFigures, ReplayFigures } from './replay.ts';
import type { LatencyFigures, RiverFigures } from './river.ts';
import type { StageFigures } from './stages.ts';
import type { ViewFigures } from './warehouse.ts';

const whole = (number: number): string => Math.round(number).toLocaleString('en');
const fine = (number: number, places = 1): string => (Number.isFinite(number) ? number.toFixed(places) : '–');
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Rows under a head; the first column to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`;
  return [line(head), ...rows.map(line)].join('\n');
}

export function collectorTable(figures: readonly CollectorFigures[]): string {
  const rows = figures.map((one) => [
    `${one.what}, ${one.batch === 1 ? 'single events' : `batches of ${one.batch}`}, ${one.rate ? `${whole(one.rate)} events/s` : `${one.connections} connections`}`,
    whole(one.requestsPerSecond),
    whole(one.eventsPerSecond),
    fine(one.p50),
    fine(one.p99),
    fine(one.cpu.process),
    `${fine(one.ofBare.process, 2)} ×`,
    fine(one.cpu.kafka),
    `${fine(one.ofBare.all, 2)} ×`,
    fine(one.cpu.load),
    one.refused === 0 ? '' : `${one.refused} refused`,
  ]);
  const head = [
    'µs of CPU an event',
    'requests/s',
    'events/s',
    'p50 ms',
    'p99 ms',
    'process',
    'of bare',
    'broker',
    'both, of bare',
    'load gen.',
    '',
  ];
  return [
    'Collector (aims: the CPU of the process at most 1.3 × that of the bare loop for single events, 1.5 × for batches;',
    '  at a steady rate, from when an event is due to its answer, p99 below 25 ms)',
    table(head, rows),
    '',
  ].join('\n');
}

const aims: Readonly<Record<string, number>> = { stitcher: 40_000, projector: 25_000 };

export function stagesTable(figures: readonly StageFigures[]): string {
  const rows = figures.map(({ what, events, eventsPerSecond, warmEventsPerSecond, cpu }) => [
    what,
    whole(events),
    whole(eventsPerSecond),
    whole(warmEventsPerSecond),
    `${fine(warmEventsPerSecond / (aims[what] ?? Number.NaN), 2)} × of ${whole(aims[what] ?? Number.NaN)}`,
    fine(cpu.process),
    fine(cpu.kafka),
  ]);
  const head = ['', 'events', 'events/s', 'warm', 'aim', 'µs CPU/event', 'broker'];
  return `Each alone, in one process, from a backlog\n${table(head, rows)}\n`;
}

const RIVER_AIM = 12_000;

export function riverTable(figures: RiverFigures, cores: number): string {
  const { events, acknowledged, projected, inClickHouse, eventsPerSecond, profileVersions, cpu } = figures;
  const total = sum(Object.values(cpu));
  const rows = [...Object.entries(cpu), ['all', total] as const].map(([name, each]) => [
    name,
    fine(each),
    `${fine((100 * each) / total, 0)} %`,
  ]);
  return [
    `The whole river, batches of 20, ${cores} cores: ${whole(eventsPerSecond)} events/s (${fine(eventsPerSecond / RIVER_AIM, 2)} × of ${whole(RIVER_AIM)})`,
    `  ${whole(events)} events: acknowledged after ${fine(acknowledged)} s, in profiles (${whole(profileVersions)} versions) after ${fine(projected)} s, all rows in ClickHouse after ${fine(inClickHouse)} s`,
    table(['', 'µs CPU/event', 'share'], rows),
    '',
  ].join('\n');
}

const PROJECTOR_AIM = 25_000;

export function computingTable(figures: readonly ComputingFigures[]): string {
  const pure = (of: string, what: string, { microseconds, elapsed, versions }: CoreFigures): string[] => [
    of,
    what,
    whole(1e6 / elapsed),
    whole(1e6 / microseconds),
    `${fine(1e6 / microseconds / PROJECTOR_AIM, 2)} ×`,
    fine(microseconds),
    '',
    fine(versions, 2),
  ];
  const stage = (of: string, what: string, { warmEventsPerSecond, cpu }: StageFigures): string[] => [
    of,
    what,
    whole(warmEventsPerSecond),
    whole(1e6 / cpu.process),
    `${fine(1e6 / cpu.process / PROJECTOR_AIM, 2)} ×`,
    fine(cpu.process),
    fine(cpu.kafka),
    '',
  ];
  const ratio = (a: number, b: number): string => `${fine(a / b, 2)} ×`;
  const rows = figures.flatMap(({ of, core, kafka }) => [
    pure(of, 'pure part, no traits', core.without),
    pure(of, 'pure part, ten traits', core.with),
    stage(of, 'process, no traits', kafka.without),
    stage(of, 'process, ten traits', kafka.with),
  ]);
  return [
    `The projector in one process with ten computed traits (aim: ${whole(PROJECTOR_AIM)} events/s); "by CPU" is what one core would make if it had nothing else to do`,
    table(['events of', '', 'events/s', 'by CPU', 'of aim', 'µs CPU/event', 'broker', 'versions/event'], rows),
    ...figures.map(
      ({ of, core, kafka }) =>
        `  of ${of} an event takes with ten traits ${ratio(core.with.microseconds, core.without.microseconds)} the CPU in the pure part and ${ratio(kafka.with.cpu.process, kafka.without.cpu.process)} in the process; a version has ${fine(core.with.computed)} of them on average`,
    ),
    '',
  ].join('\n');
}

export function crowdsTable(figures: readonly CoreFigures[]): string {
  const [first, last] = [figures[0] as CoreFigures, figures.at(-1) as CoreFigures];
  const rows = figures.map(({ people, microseconds, elapsed, diskBytes, memoryBytes }) => [
    whole(people),
    fine(microseconds),
    `${fine(microseconds / first.microseconds, 2)} ×`,
    fine(elapsed),
    whole(diskBytes / 1e6),
    whole(memoryBytes / 1e6),
  ]);
  // What the code and its caches take is not the profiles'.
  const perMillion = (of: 'diskBytes' | 'memoryBytes'): string =>
    whole((last[of] - first[of]) / (last.people - first.people));
  return [
    'What an event costs while there are so many profiles: ten traits, state on disk, output encoded, events of anybody (aim: flat)',
    table(['profiles', 'µs CPU/event', 'of first', 'µs elapsed', 'MB on disk', 'MB resident'], rows),
    `  ${plot(figures.map(({ microseconds }) => microseconds))}  each million more takes ${perMillion('diskBytes')} MB on disk and ${perMillion('memoryBytes')} MB resident, mapped pages of the disk among them`,
    '',
  ].join('\n');
}

export function readApiTable({ profiles, filled, memoryBytes, diskBytes, beside }: ReadApiFigures): string {
  const head = ['the read API beside …', 'a second', 'answers/s', 'refused', 'p50 ms', 'p95', 'p99', 'µs CPU/request'];
  const rows = beside.map(({ what, written, report, cpu }) => [
    what,
    whole(written),
    whole(report.requests / report.seconds),
    whole(report.refused),
    fine(report.p50),
    fine(report.p95),
    fine(report.p99),
    fine(cpu),
  ]);
  const busy = beside.map(({ cores }) =>
    Object.entries(cores)
      .map(([name, used]) => `${name} ${fine(used, 2)}`)
      .join(', '),
  );
  return [
    `One of ${whole(profiles)} profiles, ${whole(beside[0]?.reads ?? 0)} times a second, from when each was due (aim: p99 below 10 ms)`,
    table(head, rows),
    ...busy.map((cores) => `  cores kept busy: ${cores}`),
    `  its view has all after ${fine(filled)} s; ${whole(diskBytes / profiles)} MB on disk and ${whole(memoryBytes / profiles)} MB resident for each million profiles`,
    '',
  ].join('\n');
}

export function viewsTable(figures: readonly ViewFigures[]): string {
  const rows = figures.map(({ what, table: bare, view }) => [
    what,
    fine(bare.ms),
    fine(view.ms),
    `${fine(view.ms / bare.ms, 2)} ×`,
    fine(bare.cpuMs),
    fine(view.cpuMs),
  ]);
  const head = ['the view events beside its table', 'table ms', 'view ms', 'ratio', 'table CPU ms', 'view CPU ms'];
  return `${table(head, rows)}\n`;
}

export function replayTable(figures: readonly ReplayFigures[]): string {
  const rows = figures.map((one) => [
    `${whole(one.events)} events of ${whole(one.profiles)} profiles`,
    fine(one.seconds),
    whole(one.events / one.seconds),
    whole(one.events / one.read),
    ...Object.values(one.cpu).map((micros) => fine(micros)),
    whole(one.stateBytes / 1e6),
    whole(one.topicBytes / 1e6),
    whole(one.logBytes / 1e6),
  ]);
  const names = Object.keys(figures[0]?.cpu ?? {}).map((name) => `${name} µs`);
  return table(
    ['a generation rebuilt', 'seconds', 'events/s', 'while reading', ...names, 'state MB', 'topics MB', 'log MB'],
    rows,
  );
}

export const besideLines = ({ bound, alone, beside }: BesideFigures): string =>
  [
    `  the river alone: ${latencyLine(alone).trim()}`,
    `  while ${whole(bound)} events/s of history are read: ${latencyLine(beside).trim()} (p95 ${fine(beside.p95 / alone.p95, 2)} ×)`,
  ].join('\n');

export function latencyLine({ rate, events, missing, p50, p95, p99, answer }: LatencyFigures): string {
  return [
    `From the HTTP answer to the version on profiles, ${whole(rate)} events/s: p50 ${fine(p50)}, p95 ${fine(p95)}, p99 ${fine(p99)} ms (aim: p95 below 200)`,
    `  of ${whole(events)} events${missing === 0 ? '' : `, ${missing} of them never seen`}; the answer itself p50 ${fine(answer.p50)}, p95 ${fine(answer.p95)}, p99 ${fine(answer.p99)} ms`,
    '',
  ].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';
const PLOT_WIDTH = 60;

/** Numbers as a line of bars, from nothing to the largest. */
function plot(numbers: readonly number[]): string {
  const most = Math.max(...numbers);
  const step = Math.max(1, numbers.length / PLOT_WIDTH);
  const points = Array.from({ length: Math.min(PLOT_WIDTH, numbers.length) }, (_, i) => {
    const part = numbers.slice(Math.floor(i * step), Math.max(Math.floor((i + 1) * step), Math.floor(i * step) + 1));
    return Math.max(...part);
  });
  return points.map((one) => BARS[Math.min(BARS.length - 1, Math.floor((one / most) * BARS.length))]).join('');
}

/** Memory of every process over time: median of the first minute beside that of the last. */
export function soakTable(
  processes: readonly {
    readonly name: string;
    readonly samples: readonly number[];
    readonly first: number;
    readonly last: number;
  }[],
): string {
  const mb = (bytes: number): string => whole(bytes / 1e6);
  const rows = processes.map(({ name, samples, first, last }) => [
    name,
    mb(first),
    mb(last),
    `${fine(last / first, 2)} ×`,
    plot(samples),
  ]);
  return `${table(['resident MB', 'first minute', 'last minute', '', ''], rows)}\n`;
}

const percent = (share: number, places = 2): string => `${fine(100 * share, places)} %`;

export function qualityTable(figures: readonly QualityFigures[]): string {
  const shares = ({ bCubed, pairs }: Quality): string[] => [
    percent(bCubed.precision),
    percent(bCubed.recall),
    percent(pairs.precision),
    percent(pairs.recall),
  ];
  const rows = figures.map(({ stream, policy, own, all }, n) => [
    `${figures[n - 1]?.stream === stream ? '' : `${stream}: `}${policy}`,
    ...shares(own),
    ...shares(all),
    whole(all.clusters),
    whole(all.largest),
  ]);
  const head = [
    '',
    'B³ prec.',
    'recall',
    'pair prec.',
    'recall',
    'all: B³ prec.',
    'recall',
    'pair prec.',
    'recall',
    'profiles',
    'largest',
  ];
  const events = figures.map(({ stream, policy, events }, n) => [
    `${figures[n - 1]?.stream === stream ? '' : `${stream}: `}${policy}`,
    ...shares(events),
    whole(events.clusters),
  ]);
  return [
    'Identifiers in the right profiles (aims: B³ precision 98 %, recall 87 %, pair precision 95 %, largest profile 20 identifiers). First those',
    '  that one person alone has, then all, a shared one being whose it mostly is; "best possible" unites what the same person was seen with',
    table(head, rows),
    '',
    'Events in the right profiles, by their routing identifiers (anonymous visits to a kiosk cannot be told apart by anybody)',
    table(['', 'B³ prec.', 'recall', 'pair prec.', 'recall', 'profiles'], events),
    '',
  ].join('\n');
}

export function orderTable(figures: readonly OrderFigures[]): string {
  const cells = ({ items, otherGroup, touched, otherName }: Difference): string[] => [
    percent(otherGroup / items),
    percent(touched / items),
    whole(otherName),
  ];
  const rows = figures.map(({ policy, delivery, stamped, again }, n) => [
    `${figures[n - 1]?.policy === policy ? '' : `${policy}: `}${delivery}`,
    ...cells(stamped),
    ...cells(again),
  ]);
  return [
    `The same ${whole(figures[0]?.stamped.items ?? 0)} identifiers when events come in another order: with the times that they were stamped with (aim: none in another`,
    '  profile), and received anew in that order (aim: at most 0.1 % in another group). Also: in a group that is not exactly the same; with another profile id',
    table(['', 'stamped: moved', 'touched', 'other ids', 'anew: moved', 'touched', 'other ids'], rows),
    '',
  ].join('\n');
}

const REGROUP_AIM_MS = 2_000;

export function identityTable({
  orderByHttp,
  stages,
  crowd,
  regroup,
}: {
  readonly orderByHttp: Difference;
  readonly stages: IdentityStages;
  readonly crowd: readonly CrowdFigures[];
  readonly regroup: RegroupFigures;
}): string {
  const { items, otherGroup, touched, otherName } = orderByHttp;
  const { resolver, linker, identifiers, memoryBytes, diskBytes } = stages;
  const speed = ({ what, events, eventsPerSecond, warmEventsPerSecond, cpu }: StageFigures, aim: number): string[] => [
    what,
    whole(events),
    whole(eventsPerSecond),
    whole(warmEventsPerSecond),
    `${fine(warmEventsPerSecond / aim, 2)} × of ${whole(aim)}`,
    fine(cpu.process),
    fine(cpu.kafka),
  ];
  const crowds = crowd.map(({ what, own, shared }) => [
    what,
    whole(shared.stage.events),
    whole(own.stage.eventsPerSecond),
    whole(shared.stage.eventsPerSecond),
    `${fine(shared.stage.eventsPerSecond / own.stage.eventsPerSecond, 2)} ×`,
    whole(shared.largest),
  ]);
  const delays = (['warehouse', 'api'] as const).map((where) => {
    const { p50, p95, max } = regroupQuantiles(regroup[where]);
    return [where === 'api' ? 'read API' : 'views of ClickHouse', ...[p50, p95, max].map(whole)];
  });
  const perMillion = (bytes: number): string => whole(((bytes / identifiers) * 1e6) / 1e6);
  return [
    `The stream by HTTP, received anew in order and wholly shuffled: of ${whole(items)} identifiers ${percent(otherGroup / items)} in another group (aim: at most 0.1 %),`,
    `  ${percent(touched / items)} in a group that is not exactly the same, ${whole(otherName)} with another profile id`,
    '',
    'Each in one process, state on disk, from a backlog (events of known people; claims of new ones)',
    table(
      ['', 'taken in', '/s', 'warm', 'aim', 'µs CPU each', 'broker'],
      [speed(resolver, 40_000), speed(linker, 20_000)],
    ),
    `  the linker's process grows by ${perMillion(memoryBytes)} MB and its disk by ${perMillion(diskBytes)} MB for each million identifiers (${whole(identifiers)} were there)`,
    '',
    'Resolver and linker until all is linked, events/s: with one more of their own each, and with one that many share (aim: at least 0.80 ×)',
    table(['', 'events', 'own', 'shared', '', 'largest profile'], crowds),
    '',
    `Regrouped, ${whole(regroup.links)} times at ${whole(regroup.rate)} events/s: milliseconds from the answer to the event that links (aim: below ${whole(REGROUP_AIM_MS)})`,
    table(['', 'p50', 'p95', 'max'], delays),
    '',
  ].join('\n');
}
