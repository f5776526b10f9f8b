import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { topics } from '#schemas/topics.ts';
import { createClickHouse } from '#shared/clickhouse/client.ts';
import type { DefinitionsHome } from '#shared/definitions/apply.ts';
import { type Admin, createKafka, type KafkaClient } from '#shared/kafka/client.ts';
import { Codecs } from '#shared/kafka/codec.ts';
import type { CliSettings } from './config.ts';
import { Trouble } from './trouble.ts';

const CONNECT_MS = 5_000;

/** Connects to the parts of an installation when a command first needs them. */
export class Connections {
  readonly settings: CliSettings;
  readonly #kafka: KafkaClient;
  #admin: Promise<Admin> | undefined;
  #clickhouse: ClickHouseClient | undefined;

  constructor(settings: CliSettings) {
    this.settings = settings;
    this.#kafka = createKafka(settings, 'tributary');
  }

  /** @throws Trouble when there is no Kafka */
  kafka(): Promise<Admin> {
    this.#admin ??= this.#connect();
    return this.#admin;
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin();
    const connected = admin.connect().then(() => admin);
    const tooLate = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('no answer')), CONNECT_MS).unref();
    });
    return Promise.race([connected, tooLate]).catch((error: Error) => {
      throw new Trouble(
        `Kafka is not there at ${this.settings.kafkaBrokers.join(',')} (${error.message})`,
        'start it (npm start), or set TRIBUTARY_KAFKA_PORT or TRIBUTARY_KAFKA_BROKERS',
      );
    });
  }

  /** @throws Trouble when Kafka, the registry or the topics are not there */
  async home(): Promise<DefinitionsHome> {
    const admin = await this.kafka();
    const { prefix, partitions, replication, registryUrl } = this.settings;
    if (!(await admin.listTopics()).includes(prefix + topics.definitions.name))
      throw new Trouble(
        `this Kafka has no installation with the prefix ${prefix}`,
        'start it (npm start), or set TRIBUTARY_PREFIX',
      );
    await fetch(`${registryUrl}/subjects`).catch(() => {
      throw new Trouble(
        `the schema registry is not there at ${registryUrl}`,
        'start it (npm start), or set TRIBUTARY_REGISTRY_PORT or TRIBUTARY_REGISTRY_URL',
      );
    });
    return { kafka: this.#kafka, codecs: new Codecs(registryUrl), prefix, partitions, replication };
  }

  clickhouse(): ClickHouseClient {
    this.#clickhouse ??= createClickHouse(this.settings, 'tributary');
    return this.#clickhouse;
  }

  /** Rows of a query with bound parameters. @throws Trouble when there is no ClickHouse */
  async rows<T>(
    query: string,
    params: Readonly<Record<string, unknown>> = {},
    how: Readonly<Record<string, string | number>> = {},
  ): Promise<T[]> {
    const { clickhouseUrl, clickhouseDatabase } = this.settings;
    const ask = async (): Promise<T[]> => {
      const result = await this.clickhouse().query({
        query,
        query_params: params,
        format: 'JSONEachRow',
        clickhouse_settings: { database: clickhouseDatabase, ...how } as Record<string, string | number>,
      });
      return await result.json<T>();
    };
    try {
      // A kept connection may be closed at the other end just as it is used.
      return await ask().catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') return ask();
        throw error;
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT')
        throw new Trouble(
          'the file with ClickHouse’s password is not there',
          'set TRIBUTARY_CLICKHOUSE_PASSWORD_FILE, or TRIBUTARY_DATA',
        );
      if (code === 'ECONNREFUSED')
        throw new Trouble(
          `ClickHouse is not there at ${clickhouseUrl}`,
          'start it (npm start), or set TRIBUTARY_CLICKHOUSE_PORT or TRIBUTARY_CLICKHOUSE_URL',
        );
      throw new Trouble(`ClickHouse says: ${message.split('\n', 1)[0]}`, '');
    }
  }

  /** What the read API answers: JSON text. @throws Trouble when it is not there, or refuses */
  async api(path: string): Promise<string> {
    const { apiUrl, apiTokenFile, dataDirectory } = this.settings;
    let token: string;
    const file = apiTokenFile || join(dataDirectory, 'api-token');
    try {
      token = readFileSync(file, 'utf8').trim();
    } catch {
      throw new Trouble(
        `the file with the read API’s token is not there: ${file}`,
        'set TRIBUTARY_API_TOKEN_FILE, or TRIBUTARY_DATA',
      );
    }
    const response = await fetch(apiUrl + path, { headers: { authorization: `Bearer ${token}` } }).catch(() => {
      throw new Trouble(
        `the read API is not there at ${apiUrl}`,
        'start it (npm start), or set TRIBUTARY_API_PORT or TRIBUTARY_API_URL',
      );
    });
    const body = await response.text();
    if (!response.ok) throw new Trouble(refusalIn(body) ?? `the read API answers ${response.status}`, '');
    return body;
  }

  async close(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined);
    await Promise.all([admin?.disconnect(), this.#clickhouse?.close()]);
  }
}

function refusalIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}
