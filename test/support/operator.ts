import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventCollected, IdentityClaim } from '#schemas/generated/records.ts';
import { topics } from '#schemas/topics.ts';
import { EventLog } from '#shared/clickhouse/event-log.ts';
import { type DefinitionsFeed, followDefinitions } from '#shared/definitions/feed.ts';
import { type Hashing, hashingWith } from '#shared/identity/hashing.ts';
import { createLog } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { OtherGenerations } from '#shared/task/other-generations.ts';
import { type TaskHost, TaskRunner } from '#shared/task/runner.ts';
import { createLinker } from '../../services/identity-stitcher/linker.ts';
import { createResolver } from '../../services/identity-stitcher/resolver.ts';
import { createBackfill } from '../../services/profile-projector/backfill.ts';
import { createProjector } from '../../services/profile-projector/projector.ts';
import { addresses } from './addresses.ts';
import { secret, serviceEnvironment } from './collector-process.ts';
import { anEvent } from './counting-task.ts';
import { freePorts } from './free-ports.ts';
import { createInstallation, type Installation } from './installation.ts';
import { produce } from './produce.ts';
import { readAll } from './read-all.ts';
import { until } from './until.ts';
import { openWarehouse, type Warehouse } from './warehouse.ts';

const tool = join(import.meta.dirname, '..', '..', 'bin', 'tributary.mjs');
const main = join(import.meta.dirname, '..', '..', 'services', 'console', 'main.ts');
const token = 'the-token-of-an-operator';
const HOUR = 3_600_000;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Stitcher, projector, ClickHouse and the read API of an installation of its own, and somebody with the tool. */
export class Operator {
  readonly installation: Installation;
  readonly warehouse: Warehouse;
  readonly hashing: Hashing = hashingWith(secret);
  /** What the tool is run with. */
  readonly env: NodeJS.ProcessEnv;
  readonly #api: ChildProcess;
  readonly #feed: DefinitionsFeed;
  readonly #runners: readonly Service[];
  readonly #running: readonly Promise<void>[];
  #received = Date.now() - HOUR;
  #events = 0;

  private constructor(
    installation: Installation,
    warehouse: Warehouse,
    env: NodeJS.ProcessEnv,
    api: ChildProcess,
    feed: DefinitionsFeed,
    runners: readonly Service[],
  ) {
    this.installation = installation;
    this.warehouse = warehouse;
    this.env = env;
    this.#api = api;
    this.#feed = feed;
    this.#runners = runners;
    this.#running = runners.map((runner) => runner.run());
  }

  /** @param retentionMs of anonymous profiles; none: for ever */
  static async begin(retentionMs?: number): Promise<Operator> {
    const platform = addresses();
    const installation = await createInstallation(platform);
    const warehouse = await openWarehouse(installation);
    const [port] = await freePorts(1);
    const env: NodeJS.ProcessEnv = {
      ...serviceEnvironment(platform, installation.prefix),
      TRIBUTARY_CLICKHOUSE_URL: platform.clickhouseUrl,
      TRIBUTARY_CLICKHOUSE_DATABASE: warehouse.database,
      TRIBUTARY_API_PORT: String(port),
    };
    const directory = env.TRIBUTARY_DATA as string;
    writeFileSync(join(directory, 'clickhouse-password'), platform.clickhousePassword);
    writeFileSync(join(directory, 'api-token'), token);
    const api = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const { kafka, codecs, prefix } = installation;
    const feed = await followDefinitions(kafka, codecs, prefix, createLog('test', 'silent'), () => undefined);
    const host = installation.host({ definitions: feed.current });
    const hashing = hashingWith(secret);
    const homeOf = hashing.profileIdOf;
    const retention = retentionMs ? { ms: retentionMs, homeOf } : undefined;
    const history = new EventLog(installation.kafka, () => warehouse.client, warehouse.database, installation.prefix);
    const onTrouble = (error: unknown): void => console.error(error);
    const runnersOf = (around: TaskHost, quiet: boolean): TaskRunner[] => {
      const { generation } = around;
      const tasks = [
        createLinker({ hashing, generation, quiet }),
        createProjector({ generation, homeOf, retention, quiet }),
        createBackfill({ generation, homeOf, history, onTrouble }),
      ];
      return tasks.map((task) => new TaskRunner(task, around));
    };
    const runners = [
      new TaskRunner(createResolver({ hashing, generation: 1 }), host),
      ...runnersOf(host, false),
      new OtherGenerations(host, (_, around) => runnersOf(around, true)),
    ];
    const operator = new Operator(installation, warehouse, env, api, feed, runners);
    const ready = `http://127.0.0.1:${port}/ready`;
    await until('the read API answers', async () => (await fetch(ready)).ok);
    return operator;
  }

  async end(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()));
    await Promise.all(this.#running);
    await this.#feed.stop();
    if (this.#api.exitCode === null) {
      const exited = once(this.#api, 'exit');
      this.#api.kill('SIGTERM');
      await exited;
    }
    await this.warehouse.close();
    await this.installation.close();
  }

  run(...args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(process.execPath, [tool, ...args], { env: this.env }, (error, out, err) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
      ).stdin?.end();
    });
  }

  /** @throws where the tool fails */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`tributary ${args.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out) as T;
  }

  /** Events with these identifiers (`type:value`), the first of which routes it, one after the other. */
  async collect(...events: readonly (readonly string[])[]): Promise<void> {
    const values = events.map((names): EventCollected => {
      const received = this.#received++;
      return {
        ...anEvent(`m-${++this.#events}`),
        received_at: received,
        timestamp: received,
        original_timestamp: received,
        identifiers: names.map((name) => {
          const [type, value] = name.split(/:(.*)/s) as [string, string];
          return { type, value, hash: this.hashing.hash(type, value) };
        }),
      };
    });
    await produce(
      this.installation,
      topics.eventsCollected,
      values.map((value) => ({ key: value.identifiers[0]?.hash ?? '', value })),
    );
    let row: { log: string; profiles: string } | undefined;
    await until(
      'ClickHouse knows all events, and the profiles have them',
      async () => {
        [row] = await this.warehouse.rows<{ log: string; profiles: string }>(
          'SELECT toString((SELECT count() FROM {db}.events)) AS log, toString((SELECT sum(events) FROM {db}.profiles)) AS profiles',
        );
        return row?.log === String(this.#events) && row.profiles === String(this.#events);
      },
      undefined,
      () => ({ ...row, collected: this.#events }),
    );
    const wanted = new Set(values.flatMap(({ identifiers }) => identifiers.map(({ hash }) => hash)));
    await until('ClickHouse knows their identifiers', async () => {
      const rows = await this.warehouse.rows<{ hash: string }>(
        `SELECT DISTINCT toString(hash) AS hash FROM {db}.identity_changes_log WHERE kind = 'discovered'`,
      );
      return wanted.difference(new Set(rows.map(({ hash }) => hash))).size === 0;
    });
  }

  /** Default profile of an identifier (`type:value`). */
  defaultOf(name: string): string {
    const [type, value] = name.split(/:(.*)/s) as [string, string];
    return this.hashing.profileIdOf(this.hashing.hash(type, value));
  }

  /** Identifiers of a profile as the read API has it, and its id. */
  async profileOf(name: string): Promise<{ readonly id: string; readonly identifiers: readonly string[] }> {
    const url = `http://127.0.0.1:${this.env.TRIBUTARY_API_PORT}/v1/profiles/${encodeURIComponent(name)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    const profile = (await answer.json()) as { profile_id: string; identifiers: { type: string; value: string }[] };
    return {
      id: profile.profile_id,
      identifiers: profile.identifiers.map(({ type, value }) => `${type}:${value}`).sort(),
    };
  }

  /** Waits until the read API has these identifiers, and no others, as one profile. */
  async untilOne(...names: readonly string[]): Promise<string> {
    const wanted = [...names].sort().join();
    let found: Awaited<ReturnType<Operator['profileOf']>> | undefined;
    await until(
      `${wanted} are one profile`,
      async () => {
        found = await this.profileOf(names[0] as string).catch(() => undefined);
        return found?.identifiers.join() === wanted;
      },
      undefined,
      () => found,
    );
    return (found as NonNullable<typeof found>).id;
  }

  /** What is on the topic of claims that people wrote. */
  async decisions(): Promise<IdentityClaim[]> {
    const all = await readAll(this.installation, topics.identityClaims);
    return all.flatMap(({ value }) => (value && !value.actor.startsWith('resolver-') ? [value] : []));
  }
}
