import { setTimeout as sleep } from 'node:timers/promises';
import { asSent, identityRows } from './identity-stream.ts';
import { until } from './until.ts';

const IN_A_REQUEST = 50;

/**
 * Sends all of the stream of identities, at 1,000 events a second at most.
 * @param round part of the message ids: each time is events of its own, of the same people
 */
export async function sendIdentities(collectorPort: number, round: number): Promise<void> {
  const rows = identityRows();
  const began = performance.now();
  for (let from = 0; from < rows.length; from += IN_A_REQUEST) {
    await sleep(Math.max(0, began + from - performance.now()));
    const batch = rows.slice(from, from + IN_A_REQUEST).map((row) => asSent({ ...row, id: `${row.id}-${round}` }));
    let answer = '';
    const isTaken = async (): Promise<boolean> => {
      const response = await fetch(`http://127.0.0.1:${collectorPort}/v1/batch`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa('local-web:')}`, 'content-type': 'application/json' },
        body: JSON.stringify({ batch }),
      });
      answer = `${response.status}: ${await response.text()}`;
      return response.status === 200 || sleep(500, false);
    };
    // On a busy machine it may be told to come back, as SDKs are.
    await until('the collector takes the events', isTaken, 120_000, () => answer);
  }
}

/** The same again and again. @returns what ends it after the round that is being sent */
export function keepSendingIdentities(collectorPort: number, firstRound: number): () => Promise<void> {
  let flowing = true;
  const flow = (async () => {
    for (let round = firstRound; flowing; round++) await sendIdentities(collectorPort, round);
  })();
  flow.catch(() => undefined);
  return () => {
    flowing = false;
    return flow;
  };
}
