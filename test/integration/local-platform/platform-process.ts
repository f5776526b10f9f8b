import { startPlatform } from '../../support/platform.ts';

/** A supervisor to be killed: starts two parts in the given directory, from the given port up, and says who they are. */
const running = await startPlatform({
  parts: ['kafka', 'clickhouse'],
  dataDir: process.argv[2] as string,
  portBase: Number(process.argv[3]),
});
console.log(JSON.stringify(running.platform.units().map(({ pid }) => pid)));
setInterval(() => undefined, 60_000);
