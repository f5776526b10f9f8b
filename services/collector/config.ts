import { count, port, text } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  port: port('COLLECTOR_PORT', 'Port of the tracking API, with /health, /ready and /metrics', '8080'),
  host: text('COLLECTOR_HOST', 'Address that the port is bound to', '127.0.0.1'),
  mostBodyBytes: count('COLLECTOR_MOST_BODY_BYTES', 'Largest body, decompressed', String(4 * 1024 * 1024)),
  mostBytesInHand: count(
    'COLLECTOR_MOST_BYTES_IN_HAND',
    'Bytes of bodies, as they came and unpacked, of all requests that are not answered yet; beyond, senders are told to come back',
    String(128 * 1024 * 1024),
  ),
  mostConnections: count('COLLECTOR_MOST_CONNECTIONS', 'Connections at once; more are closed at once', '10000'),
  mostWaitingBytes: count(
    'COLLECTOR_MOST_WAITING_BYTES',
    'Bytes that may wait for Kafka; beyond, senders are told to come back',
    String(64 * 1024 * 1024),
  ),
  longestWaitMs: count('COLLECTOR_LONGEST_WAIT_MS', 'How long a request may wait for Kafka, milliseconds', '10000'),
  trustedProxies: count(
    'COLLECTOR_TRUSTED_PROXIES',
    'How many proxies in front are trusted to add to X-Forwarded-For, and to say X-Forwarded-Proto',
    '0',
  ),
  geoFile: text(
    'COLLECTOR_GEO_FILE',
    'File in MaxMind’s format (GeoLite2 City, for example) that tells where addresses are; none: nothing is added',
    '',
  ),
} as const;
