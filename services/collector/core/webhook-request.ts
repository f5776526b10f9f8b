import { type Decision, decide, type Envelope, unmapped } from './event.ts';
import type { Refusal } from './refusal.ts';
import { isSigned } from './signature.ts';
import { mapWebhook, type WebhookRules } from './webhook.ts';
import { parseWebhook } from './webhook-body.ts';

/** A webhook as it came. */
interface Arrived {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: string | undefined;
}

/**
 * What becomes of each event that a source's rules make of a webhook, and how many of its elements none of them wants; or why nothing
 * is taken.
 * @param mostBytes what the events may come to
 */
export function decideWebhook(
  { verify, lists }: WebhookRules,
  { bytes, headers, query }: Arrived,
  mostBytes: number,
  envelope: Omit<Envelope, 'batchLevel' | 'batchContext'>,
): { readonly decisions: readonly Decision[]; readonly unwanted: number } | Refusal {
  const parsed = parseWebhook(bytes, headers['content-type']?.toString());
  if ('status' in parsed) return parsed;
  const { body } = parsed;
  const header = (name: string): string | undefined => headers[name.toLowerCase()]?.toString();
  if (verify && !isSigned(verify, { bytes, body, header, now: envelope.receivedAt }))
    return { status: 401, code: 'invalid_signature', message: 'The webhook is not signed with a secret of the source' };
  const mapped = mapWebhook(lists, { bytes, body, headers, query }, mostBytes);
  if ('status' in mapped) return mapped;
  const alone: Envelope = { ...envelope, batchLevel: [], batchContext: undefined };
  return {
    decisions: mapped.made.map((one) =>
      'event' in one ? decide(one.text, one.event, undefined, alone) : unmapped(one.text, one.fault, alone),
    ),
    unwanted: mapped.unwanted,
  };
}
