import type { DefinitionBodies } from '#shared/definitions/kinds.ts';
import { withoutMember } from '#shared/json/members.ts';
import { campaignOf } from './campaign.ts';
import { type ClientHints, hintsOfContext } from './client-hints.ts';
import type { LocationOf } from './location.ts';
import { objectOf } from './object-of.ts';
import { memberOf, withMembersUnder } from './payload.ts';
import { campaignOfReferrer } from './referrer.ts';
import { truncatedAddress } from './truncated-address.ts';
import { type AgentOf, MOST_USER_AGENT } from './user-agent.ts';

/** The program that a person sends with, as its request describes it. */
export interface Client {
  readonly userAgent: string | undefined;
  readonly hints: ClientHints | undefined;
}

/** What is known of the world. */
export interface Knowledge {
  readonly agentOf: AgentOf;
  readonly locationOf: LocationOf;
}

export interface Enrichment {
  /** What was found: members of the event's context as text, `"name":value`, by name. */
  readonly found: ReadonlyMap<string, string>;
  readonly bot: boolean;
}

/**
 * What an event does not say itself but can be told from what it says and how it came.
 * @param context the event's, with its batch's
 * @param client undefined where a server sends for others: its own user agent is nobody's
 * @param address of the person, before it is cut
 */
export function enrichmentOf(
  context: unknown,
  client: Client | undefined,
  address: string | null,
  { enrich, keepIp }: Pick<DefinitionBodies['source'], 'enrich' | 'keepIp'>,
  { agentOf, locationOf }: Knowledge,
): Enrichment {
  const found = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    if (value !== undefined) found.set(name, memberOf(name, JSON.stringify(value)));
  };
  const { userAgent: said, userAgentData } = objectOf(context);
  const own = client?.userAgent;
  const userAgent = typeof said === 'string' && said !== '' ? said : own;
  const agent =
    userAgent !== undefined && (enrich.userAgent || enrich.bots !== 'keep')
      ? agentOf(userAgent, hintsOfContext(userAgentData) ?? client?.hints)
      : undefined;
  if (agent && enrich.userAgent) {
    // It is stored with each event of a batch, so a long one could make gigabytes of a small body.
    if (userAgent !== said) add('userAgent', own?.slice(0, MOST_USER_AGENT));
    add('browser', agent.browser);
    add('os', agent.os);
    add('device', agent.device);
  }
  if (enrich.campaign) add('campaign', campaignOf(context));
  if (enrich.referrer && !found.has('campaign')) add('campaign', campaignOfReferrer(context));
  // Nothing finer is looked up than may be kept.
  const looked = keepIp === true || address === null ? address : truncatedAddress(address);
  if (enrich.geo && looked !== null) add('location', locationOf(looked));
  return { found, bot: enrich.bots !== 'keep' && agent?.bot === true };
}

/**
 * An event's JSON text with what was found in its context, where that does not say it itself.
 * @param text a valid JSON object without white space around it
 * @param context the same text's context, parsed
 */
export function withFound(text: string, context: unknown, found: ReadonlyMap<string, string>): string {
  if (found.size === 0) return text;
  const own = objectOf(context);
  let bare = text;
  const missing: string[] = [];
  for (const [name, member] of found) {
    const said = Object.hasOwn(own, name) ? own[name] : undefined;
    if (!isBlank(said)) continue;
    if (said !== undefined) bare = withoutMember(bare, 'context', name);
    missing.push(member);
  }
  return withMembersUnder(bare, 'context', missing);
}

/** RudderStack's browser SDK says `"os":{"name":"","version":""}` of every system. */
const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.values(value).every((one) => one === null || one === ''));
