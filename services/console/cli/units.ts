import type { Connections } from './connections.ts';

/** Whether a part or a service answers. */
export interface UnitState {
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly note: string;
}

const ANSWER_MS = 3_000;

/** Asks every part and service of the installation, all at once. */
export async function unitStates(connections: Connections): Promise<UnitState[]> {
  const s = connections.settings;
  const service = (name: string, address: string) => ask(name, address, () => readiness(`${address}/ready`));
  return Promise.all([
    ask('kafka', s.kafkaBrokers.join(','), async () => {
      await (await connections.kafka()).describeCluster();
      return '';
    }),
    ask('registry', s.registryUrl, async () => {
      const { status } = await fetch(`${s.registryUrl}/subjects`, { signal: AbortSignal.timeout(ANSWER_MS) });
      return status === 200 ? '' : `answers ${status}`;
    }),
    ask('clickhouse', s.clickhouseUrl, async () => {
      await connections.rows('SELECT 1');
      return '';
    }),
    service('collector', s.collectorUrl),
    service('identity-stitcher', s.stitcherUrl),
    service('profile-projector', s.projectorUrl),
    service('activation', s.activationUrl),
    service('console', s.apiUrl),
  ]);
}

async function ask(name: string, address: string, question: () => Promise<string>): Promise<UnitState> {
  const note = await question().catch((error: Error) => {
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    return cause?.code ?? error.message;
  });
  return { name, address, ready: note === '', note };
}

async function readiness(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (response.ok) return '';
  const body = (await response.json().catch(() => ({}))) as { missing?: string[] };
  return body.missing?.join('; ') ?? `answers ${response.status}`;
}
