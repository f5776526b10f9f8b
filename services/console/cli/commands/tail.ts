import { events, watch } from '../../adapters/watch.ts';
import type { Connections } from '../connections.ts';
import type { Speech } from '../output.ts';
import { isWanted, lineOf } from '../passing-event.ts';
import { Trouble } from '../trouble.ts';

/** Shows events as they pass, from now on, until it is interrupted or nobody reads on. */
export async function tail(connections: Connections, _: readonly string[], { json, say }: Speech): Promise<undefined> {
  const home = await connections.home();
  const { source, event, rejected } = connections.settings;
  const wanted = { source: source || undefined, event: event || undefined, rejected };
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  process.once('SIGINT', () => ended.resolve());
  process.once('SIGTERM', () => ended.resolve());
  // `tributary tail | head`: whoever has seen enough goes away.
  process.stdout.on('error', () => ended.resolve());
  const reader = await watch(home, events, {
    onPassing: (passing) => {
      for (const one of passing) if (isWanted(one, wanted)) say(json ? JSON.stringify(one) : lineOf(one));
    },
    onLost: (error) => ended.reject(new Trouble(`the events were lost sight of: ${error.message}`, 'start it again')),
  });
  if (!json) process.stderr.write('events from now on, until Ctrl-C\n');
  try {
    await ended.promise;
  } finally {
    await reader.stop();
  }
  return undefined;
}
