import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Generation } from '#schemas/generated/records.ts';
import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import type { DefinitionsHome } from '#shared/definitions/apply.ts';
import { BackOff } from '#shared/service/back-off.ts';
import { platformOptions } from '#shared/service/platform-options.ts';
import type { CliSettings } from '../config.ts';
import type { Connections } from '../connections.ts';
import { durationText } from '../duration-text.ts';
import type { Output, Speech } from '../output.ts';
import { Trouble } from '../trouble.ts';
import { Children } from './children.ts';
import { prepareGround } from './ground.ts';
import { phaseOf, type Standing } from './progress.ts';
import { folderOf, remainsOf, runningOf } from './removal.ts';
import { Report } from './report.ts';
import { Watch } from './watch.ts';

const SERVICES = ['identity-stitcher', 'profile-projector'] as const;
const LOOK_EVERY_MS = 1_000;

/** Runs a generation until it is told to stop, or, where that is wanted, until it is complete. */
export async function runReplay(
  connections: Connections,
  home: DefinitionsHome,
  record: Generation,
  speech: Speech,
): Promise<Output> {
  const { settings } = connections;
  const { generation } = record;
  const admin = await connections.kafka();
  const stop = new AbortController();
  const told = once(stop.signal, 'abort').then(() => undefined);
  const report = new Report(generation, speech);
  await prepareGround(admin, home, record, settings.generation);
  const running = await runningOf(admin, await remainsOf(admin, settings, generation));
  const logOf = (service: string): string =>
    join(settings.dataDirectory, 'logs', `replay-g${generation}-${service}.log`);
  report.tell(introduction(record, logOf('*')), { generation, logs: logOf('*') });
  if (running.length > 0)
    report.tell('somebody else runs it, too, or did until a moment ago: then both share the work', {
      generation,
      shared: true,
    });
  const watch = await Watch.begin({ admin, ...home }, record);
  const children = new Children({
    names: SERVICES,
    env: environmentOf(settings, record),
    logOf,
    onStart: (service, pid, address) =>
      report.tell(`${service}: ${address}/metrics`, { service, pid, metrics: `${address}/metrics` }),
    onEnd: (service, why) => report.tell(`${service} ${why}; it is started again`, { service, why }),
  });
  const end = (): void => {
    // A second time: at once.
    if (stop.signal.aborted) {
      children.kill();
      process.exit(130);
    }
    stop.abort();
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  const wrong = children.done.then(
    () => undefined,
    (error: Error) => error,
  );
  let last: Standing | undefined;
  let isComplete = false;
  try {
    const backOff = new BackOff(LOOK_EVERY_MS, 10_000);
    while (!stop.signal.aborted && !watch.isDropped && !watch.isLive) {
      const standing = await watch.look().catch((error: Error) => error);
      if (standing instanceof Error) {
        if (backOff.failingMs === 0)
          report.tell(`how far it is cannot be seen: ${standing.message}`, { why: standing.message });
        await Promise.race([backOff.failed(stop.signal), told]);
        continue;
      }
      backOff.succeeded();
      last = standing;
      report.show(standing);
      if (phaseOf(standing) === 'complete' && !isComplete) {
        isComplete = true;
        if (settings.untilComplete) break;
        report.tell(completeText(record, standing, report), { generation, complete: true });
      }
      const failed = await Promise.race([sleep(LOOK_EVERY_MS, undefined, { ref: false }), told, wrong]);
      if (failed instanceof Error) throw new Trouble(failed.message, `its log: ${logOf('*')}`);
    }
  } finally {
    report.clear();
    await watch.end();
    await children.stop();
    process.off('SIGINT', end).off('SIGTERM', end);
  }
  const goOn = `tributary replay resume ${generation}`;
  if (watch.isDropped) throw new Trouble(`generation ${generation} was dropped`, '');
  if (watch.isLive)
    return { json: { generation, live: true }, text: `generation ${generation} is live: the services run it` };
  const { rows, of } = last?.profiles ?? { rows: 0, of: 0 };
  if (!isComplete) {
    const soFar = of > 0 ? `${rows} of ${of} ${last?.unit} of history are read` : 'no history is read yet';
    throw new Trouble(`generation ${generation} is not complete: ${soFar}`, `to go on: ${goOn}`);
  }
  const text = settings.untilComplete && last ? completeText(record, last, report) : `stopped; to go on: ${goOn}`;
  return { json: { generation, complete: true, rows, of }, text };
}

function introduction({ generation, history, claims, definitions }: Generation, logs: string): string {
  const from = history === 'kafka' ? 'what Kafka still holds' : 'the event log in ClickHouse';
  const links = claims === 'rebuilt' ? 'with claims that are made anew' : 'with the recorded claims';
  const own = definitions === '' ? '' : ', under definitions of its own';
  return `generation ${generation}: from ${from}, ${links}${own}; logs: ${logs}`;
}

function completeText({ generation }: Generation, standing: Standing, report: Report): string {
  const { read, seconds } = report.pace(standing);
  const pace =
    read > 0 && seconds > 0
      ? ` (${read} read in ${durationText(Math.ceil(seconds))}, ${Math.round(read / seconds)}/s)`
      : '';
  return [
    `generation ${generation} is complete: ${standing.profiles.of} ${standing.unit} of history${pace}, and all that has come since`,
    `  tributary replay compare ${generation}   where it differs from what is live`,
    `  tributary replay switch ${generation}    makes it live`,
    `  tributary replay drop ${generation}      throws it away`,
    `  tributary replay resume ${generation}    keeps it up to date, once this has ended`,
  ].join('\n');
}

/** What the services of a generation are started with. */
function environmentOf(settings: CliSettings, record: Generation): NodeJS.ProcessEnv {
  const { generation, claims, claims_cut, history, definitions } = record;
  const shared = Object.entries({ ...platformOptions, ...clickhouseOptions }) as [
    keyof typeof platformOptions,
    { env: string },
  ][];
  const dataDirectory = resolve(settings.dataDirectory);
  let file = '';
  if (definitions !== '') {
    const folder = folderOf(dataDirectory, generation);
    mkdirSync(folder, { recursive: true });
    file = join(folder, 'definitions.yaml');
    writeFileSync(file, definitions, { mode: 0o600 });
  }
  return {
    ...process.env,
    ...Object.fromEntries(shared.map(([name, { env }]) => [env, String(settings[name])])),
    TRIBUTARY_DATA: dataDirectory,
    TRIBUTARY_GENERATION: String(generation),
    TRIBUTARY_BOOKS_GENERATION: String(settings.generation),
    TRIBUTARY_QUIET: 'true',
    TRIBUTARY_REPLAY_RATE: String(settings.rate),
    TRIBUTARY_REPLAY_CLAIMS: claims,
    TRIBUTARY_REPLAY_CLAIMS_CUT: String(claims_cut),
    TRIBUTARY_REPLAY_HISTORY: history,
    TRIBUTARY_REPLAY_DEFINITIONS: file,
  };
}
