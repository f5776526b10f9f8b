import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers';
import { composeService } from './compose-file.ts';

/** Kafka, the registry and ClickHouse, of the images and with the settings of docker-compose.yml, in containers of their own. */
export interface ContainerParts {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhousePassword: string;
  /** The same Kafka and registry as the containers reach them. */
  readonly inside: { readonly brokers: string; readonly registryUrl: string };
  /** Kafka as the containers reach it by the protocol that this machine speaks with it. */
  readonly insideSecured: string;
  readonly kafka: StartedTestContainer;
  stop(): Promise<void>;
}

export interface ContainerPartsOptions {
  /** How this machine speaks with Kafka, through the listener `OUTSIDE`; containers may, through `SECURED`. */
  readonly outsideProtocol?: 'PLAINTEXT' | 'SASL_SSL';
  /** Added to Kafka's environment. */
  readonly kafkaEnvironment?: Readonly<Record<string, string>>;
  /** Files for /etc/kafka/secrets, by name. */
  readonly kafkaSecrets?: Readonly<Record<string, string | Buffer>>;
  /** More files for ClickHouse, by path. */
  readonly clickhouseFiles?: Readonly<Record<string, string>>;
}

const DATA_FILE_MODE = 0o444;

export async function startContainerParts(options: ContainerPartsOptions = {}): Promise<ContainerParts> {
  const { outsideProtocol = 'PLAINTEXT', kafkaEnvironment = {}, kafkaSecrets = {}, clickhouseFiles = {} } = options;
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    const network = await new Network().start();
    started.push(network);
    const kafkaPort = await freePort();
    const kafka = await startKafka(network, kafkaPort, outsideProtocol, kafkaEnvironment, kafkaSecrets);
    started.push(kafka);
    const registry = await startRegistry(network);
    started.push(registry);
    const clickhousePassword = randomBytes(16).toString('hex');
    const clickhouse = await startClickHouse(network, clickhousePassword, clickhouseFiles);
    started.push(clickhouse);
    const at = (container: StartedTestContainer, port: number): string =>
      `http://${container.getHost()}:${container.getMappedPort(port)}`;
    return {
      brokers: `localhost:${kafkaPort}`,
      registryUrl: `${at(registry, 8080)}/apis/ccompat/v7`,
      clickhouseUrl: at(clickhouse, 8123),
      clickhousePassword,
      inside: { brokers: 'kafka:9092', registryUrl: 'http://registry:8080/apis/ccompat/v7' },
      insideSecured: 'kafka:9095',
      kafka,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startKafka(
  network: StartedNetwork,
  port: number,
  protocol: string,
  environment: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string | Buffer>>,
): Promise<StartedTestContainer> {
  const { image, environment: composed } = composeService('kafka');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('kafka')
    .withEnvironment({
      ...composed,
      CLUSTER_ID: randomBytes(16).toString('base64url'),
      // An address of its own for this machine: a client goes on to the one that it is told.
      KAFKA_LISTENERS: `PLAINTEXT://:9092,CONTROLLER://:9093,SECURED://:9095,OUTSIDE://:${port}`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://kafka:9092,SECURED://kafka:9095,OUTSIDE://localhost:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:${protocol},OUTSIDE:${protocol}`,
      ...environment,
    })
    .withCopyContentToContainer(
      Object.entries(secrets).map(([name, content]) => ({
        content,
        target: `/etc/kafka/secrets/${name}`,
        mode: DATA_FILE_MODE,
      })),
    )
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
}

function startRegistry(network: StartedNetwork): Promise<StartedTestContainer> {
  const { image, environment } = composeService('registry');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('registry')
    .withEnvironment(environment)
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp('/apis/ccompat/v7/subjects', 8080))
    .withStartupTimeout(180_000)
    .start();
}

function startClickHouse(
  network: StartedNetwork,
  password: string,
  files: Readonly<Record<string, string>>,
): Promise<StartedTestContainer> {
  const { image } = composeService('clickhouse');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('clickhouse')
    .withEnvironment({ CLICKHOUSE_USER: 'default', CLICKHOUSE_PASSWORD_FILE: '/run/secrets/clickhouse-password' })
    .withCopyFilesToContainer([
      {
        source: join(import.meta.dirname, '..', '..', 'deploy', 'docker', 'clickhouse.xml'),
        target: '/etc/clickhouse-server/config.d/tributary.xml',
      },
    ])
    .withCopyContentToContainer(
      Object.entries({ '/run/secrets/clickhouse-password': password, ...files }).map(([target, content]) => ({
        content,
        target,
        mode: DATA_FILE_MODE,
      })),
    )
    .withExposedPorts(8123)
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
    .start();
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
