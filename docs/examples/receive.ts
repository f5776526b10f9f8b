// Receives profiles from a webhook: `WEBHOOK_SECRET=whsec_… node docs/examples/receive.ts [PORT]`.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';

const key = Buffer.from((process.env.WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
if (key.length < 24) throw new Error('WEBHOOK_SECRET must be the secret of the definition');
const OLDEST_SECONDS = 300;

/** Over the bytes as they came: a body that was parsed and written again may differ. */
function isOurs(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures } = headers;
  // An old one may be somebody's who has recorded it. Not a number is not young either.
  if (!(Math.abs(Date.now() / 1_000 - Number(time)) < OLDEST_SECONDS)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest();
  // One for each secret of the definition; ours is among them while another replaces it.
  return String(signatures)
    .split(' ')
    .some((signature) => {
      const [scheme, text = ''] = signature.split(',');
      const given = Buffer.from(text, 'base64');
      return scheme === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

/** The newest version taken of each profile. Yours is a column beside what you store. */
const versions = new Map<string, number>();

function take({ type, data }: { type: string; data: { profile_id: string; version: number; into?: string } }): void {
  const { profile_id, version, into } = data;
  if (type === 'profile.erased') {
    versions.delete(profile_id);
    console.log(`${profile_id} erased`);
    return;
  }
  // At least once: the same may come again, and then an older one.
  if (version <= (versions.get(profile_id) ?? 0)) return;
  versions.set(profile_id, version);
  console.log(`${profile_id} version ${version}${type === 'profile.gone' ? `: gone into ${into}` : ''}`);
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    if (!isOurs(request.headers, body)) return response.writeHead(401).end();
    take(JSON.parse(body.toString()));
    // Only now: what was answered with 2xx does not come again.
    response.writeHead(204).end();
  });
}).listen(Number(process.argv[2] ?? 3000), '127.0.0.1');
