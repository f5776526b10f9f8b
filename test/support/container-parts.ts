import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers';
import type { AllAddresses } from './addresses.ts';
import { composeService, isStandIn } from './compose-file.ts';
import { freePorts } from './free-ports.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A listener of the same Kafka that wants TLS, with a certificate that signs itself, and a password (SCRAM-SHA-512). */
export interface SecuredKafka {
  readonly brokers: string;
  /** The certificate, PEM. */
  readonly authority: string;
  readonly username: string;
  readonly password: string;
}

/** Kafka, the registry and ClickHouse, of the images and with the settings of docker-compose.yml, in containers. */
export interface ContainerParts {
  readonly addresses: AllAddresses;
  readonly secured: SecuredKafka;
  stop(): Promise<void>;
}

const READABLE = 0o444;
const forContainers = { brokers: 'kafka:9092', registryUrl: 'http://registry:8080/apis/ccompat/v7' };

export async function startContainerParts(): Promise<ContainerParts> {
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.toReversed()) await one.stop();
  };
  try {
    const network = await new Network().start();
    started.push(network);
    const [port, securedPort] = (await freePorts(2)) as [number, number];
    const [username, password] = ['tributary', randomBytes(16).toString('hex')];
    const { keystore, authority } = selfSigned(password);

    const kafka = await startKafka(network, { port, securedPort, keystore, password });
    started.push(kafka);
    await addUser(kafka, username, password);
    const registry = await startRegistry(network);
    started.push(registry);
    // The embedded engine's Kafka library knows neither TLS nor SCRAM.
    const isEmbedded = isStandIn(composeService('clickhouse').image);
    const clickhousePassword = randomBytes(16).toString('hex');
    const clickhouse = await startClickHouse(network, {
      '/run/secrets/clickhouse-password': clickhousePassword,
      '/etc/clickhouse-server/kafka-ca.pem': authority,
      ...(isEmbedded ? {} : { '/etc/clickhouse-server/config.d/secured.xml': securedKafkaXml(username, password) }),
    });
    started.push(clickhouse);

    const at = (container: StartedTestContainer, internal: number): string =>
      `http://${container.getHost()}:${container.getMappedPort(internal)}`;
    // Its Kafka settings are for all of its tables: with the real image they are those of the listener that wants them.
    const forClickHouse = isEmbedded ? forContainers : { ...forContainers, brokers: 'kafka:9095' };
    return {
      addresses: {
        brokers: `localhost:${port}`,
        registryUrl: `${at(registry, 8080)}/apis/ccompat/v7`,
        clickhouseUrl: at(clickhouse, 8123),
        clickhousePassword,
        forClickHouse,
      },
      secured: { brokers: `localhost:${securedPort}`, authority, username, password },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface KafkaListeners {
  readonly port: number;
  readonly securedPort: number;
  readonly keystore: Buffer;
  readonly password: string;
}

function startKafka(network: StartedNetwork, listeners: KafkaListeners): Promise<StartedTestContainer> {
  const { port, securedPort, keystore, password } = listeners;
  const { image, environment } = composeService('kafka');
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('kafka')
    .withEnvironment({
      ...environment,
      CLUSTER_ID: randomBytes(16).toString('base64url'),
      // Addresses of their own for this machine: a client goes on to the one that it is told.
      KAFKA_LISTENERS: `PLAINTEXT://:9092,CONTROLLER://:9093,INSIDE://:9095,PLAIN://:${port},SECURED://:${securedPort}`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://kafka:9092,INSIDE://kafka:9095,PLAIN://localhost:${port},SECURED://localhost:${securedPort}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP:
        'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INSIDE:SASL_SSL,PLAIN:PLAINTEXT,SECURED:SASL_SSL',
      KAFKA_SASL_ENABLED_MECHANISMS: 'SCRAM-SHA-512',
      KAFKA_LISTENER_NAME_INSIDE_SCRAM___SHA___512_SASL_JAAS_CONFIG: scram,
      KAFKA_LISTENER_NAME_SECURED_SCRAM___SHA___512_SASL_JAAS_CONFIG: scram,
      KAFKA_SSL_KEYSTORE_LOCATION: '/etc/kafka/secrets/kafka.p12',
      KAFKA_SSL_KEYSTORE_TYPE: 'PKCS12',
      KAFKA_SSL_KEYSTORE_PASSWORD: password,
    })
    .withCopyContentToContainer([{ content: keystore, target: '/etc/kafka/secrets/kafka.p12', mode: READABLE }])
    .withExposedPorts({ container: port, host: port }, { container: securedPort, host: securedPort })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(180_000)
    .start();
}

async function addUser(kafka: StartedTestContainer, username: string, password: string): Promise<void> {
  const { exitCode, output } = await kafka.exec([
    '/opt/kafka/bin/kafka-configs.sh',
    ...['--bootstrap-server', 'kafka:9092', '--alter', '--entity-type', 'users', '--entity-name', username],
    ...['--add-config', `SCRAM-SHA-512=[password=${password}]`],
  ]);
  if (exitCode !== 0) throw new Error(`Kafka did not take the user: ${output}`);
}

function startRegistry(network: StartedNetwork): Promise<StartedTestContainer> {
  const { image, environment } = composeService('registry');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('registry')
    .withEnvironment(environment)
    .withExposedPorts(8080, 9000)
    .withWaitStrategy(Wait.forHttp('/health/ready', 9000))
    .withStartupTimeout(180_000)
    .start();
}

/** @param files by path */
function startClickHouse(
  network: StartedNetwork,
  files: Readonly<Record<string, string>>,
): Promise<StartedTestContainer> {
  const { image, environment } = composeService('clickhouse');
  const configuration = join(import.meta.dirname, '..', '..', 'deploy', 'docker', 'clickhouse.xml');
  return new GenericContainer(image)
    .withNetwork(network)
    .withNetworkAliases('clickhouse')
    .withEnvironment(environment)
    .withCopyFilesToContainer([
      { source: configuration, target: '/etc/clickhouse-server/config.d/tributary.xml', mode: READABLE },
    ])
    .withCopyContentToContainer(Object.entries(files).map(([target, content]) => ({ content, target, mode: READABLE })))
    .withExposedPorts(8123)
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
    .withStartupTimeout(180_000)
    .start();
}

const securedKafkaXml = (username: string, password: string): string => `<clickhouse><kafka>
  <security_protocol>sasl_ssl</security_protocol>
  <sasl_mechanism>SCRAM-SHA-512</sasl_mechanism>
  <sasl_username>${username}</sasl_username>
  <sasl_password>${password}</sasl_password>
  <ssl_ca_location>/etc/clickhouse-server/kafka-ca.pem</ssl_ca_location>
</kafka></clickhouse>`;

/** A certificate that signs itself, as a small company's brokers have it. Made by Java's `keytool`. */
function selfSigned(password: string): { keystore: Buffer; authority: string } {
  const file = join(temporaryDirectory(), 'kafka.p12');
  const store = ['-alias', 'kafka', '-keystore', file, '-storepass', password, '-storetype', 'PKCS12'];
  const keytool = (...args: string[]) => String(execFileSync('keytool', args, { stdio: 'pipe' }));
  const names = ['-dname', 'CN=kafka', '-ext', 'san=dns:kafka,dns:localhost'];
  keytool('-genkeypair', ...store, '-keyalg', 'RSA', '-validity', '2', ...names);
  return { authority: keytool('-exportcert', '-rfc', ...store), keystore: readFileSync(file) };
}
