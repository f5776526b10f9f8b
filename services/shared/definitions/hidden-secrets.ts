import { createHash } from 'node:crypto';

/** In a definition's place of a secret: enough to see that it was changed for another. A secret itself has 24 random bytes or more. */
const fingerprint = (secret: unknown): string =>
  `[secret ${createHash('sha256').update(String(secret)).digest('hex').slice(0, 8)}]`;

/** A definition's body as it may be shown: without the secrets of a webhook. */
export function withHiddenSecrets(kind: string, body: unknown): unknown {
  if (kind !== 'profile_webhook' || typeof body !== 'object' || body === null) return body;
  const { secrets } = body as { secrets?: unknown };
  return { ...body, secrets: Array.isArray(secrets) ? secrets.map(fingerprint) : [] };
}
