import { connect } from 'node:net';

const limitMs = 2_000;

/** Whether `GET url` answers with 2xx. */
export async function answersHttp(url: string, headers: Readonly<Record<string, string>> = {}): Promise<boolean> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(limitMs) });
  await response.arrayBuffer();
  return response.ok;
}

/** ApiVersions, version 0, without a client id: size, API key 18, version 0, correlation id 1, null. */
const apiVersionsRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** Whether a Kafka broker speaks on a plain port. A broker opens its port before it can serve, but answers only then. */
export function answersKafka(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write(apiVersionsRequest));
    socket.once('data', (data) => settle(data.length >= 10 && data.readInt16BE(8) === 0));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

/** Whether this process could listen on a loopback port. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: limitMs });
    const settle = (free: boolean) => {
      socket.destroy();
      resolve(free);
    };
    socket.once('connect', () => settle(false));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(true));
  });
}
