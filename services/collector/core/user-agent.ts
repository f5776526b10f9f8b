import { parse } from 'bowser';
import { isbot } from 'isbot';
import QuickLRU from 'quick-lru';
import type { ClientHints } from './client-hints.ts';

/** The program and the device that an event comes from, by Segment's names. What is not known is absent. */
export interface Agent {
  readonly browser?: Named;
  readonly os?: Named;
  readonly device?: { readonly type?: string; readonly manufacturer?: string; readonly model?: string };
  /** A crawler, a monitor, a library without a person behind it. */
  readonly bot: boolean;
}
interface Named {
  readonly name: string;
  readonly version?: string;
}

export type AgentOf = (userAgent: string, hints: ClientHints | undefined) => Agent;

/** Real ones have 200 characters; what is longer is meant to cost time. */
export const MOST_USER_AGENT = 1_000;

export const agentOf: AgentOf = (userAgent, hints) => {
  const text = userAgent.slice(0, MOST_USER_AGENT).toWellFormed();
  const { browser, os, platform } = parse(text || ' ', hints && { brands: [...hints.brands] });
  const system = systemOf(os.name || hints?.platform, os.versionName, os.version, hints);
  const type = platform.type ?? (hints?.mobile === undefined ? undefined : hints.mobile ? 'mobile' : 'desktop');
  const device = compact({ type, manufacturer: platform.vendor, model: hints?.model || platform.model });
  return {
    ...(browser.name && { browser: { name: browser.name, ...compact({ version: browser.version }) } }),
    ...(system && { os: system }),
    ...(Object.keys(device).length > 0 && { device }),
    bot: isbot(text),
  };
};

/** The same, which remembers what it was asked last: a visit's events come from one program. */
export function rememberingAgents(most = 10_000): AgentOf {
  const agents = new QuickLRU<string, Agent>({ maxSize: most });
  return (userAgent, hints) => {
    const key = hints ? `${userAgent}\0${JSON.stringify(hints)}` : userAgent;
    let agent = agents.get(key);
    if (!agent) {
      agent = agentOf(userAgent, hints);
      if (key.length <= 2 * MOST_USER_AGENT) agents.set(key, agent);
    }
    return agent;
  };
}

/** Browsers freeze the system's version in their user agent; the hint has the true one. */
function systemOf(
  name: string | undefined,
  versionName: string | undefined,
  version: string | undefined,
  hints: ClientHints | undefined,
): Named | undefined {
  if (!name) return undefined;
  const said = hints?.platformVersion;
  if (name !== 'Windows') return { name, ...compact({ version: said || version }) };
  return { name, ...compact({ version: (said && windows(said)) || versionName || version }) };
}

/** Windows says 13 and more for Windows 11, 1 to 10 for Windows 10. Source: Microsoft, "Detect Windows 11 using User-Agent Client Hints". */
function windows(platformVersion: string): string | undefined {
  const major = Number.parseInt(platformVersion, 10);
  return major >= 13 ? '11' : major >= 1 ? '10' : undefined;
}

const compact = <T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as { [K in keyof T]?: string };
