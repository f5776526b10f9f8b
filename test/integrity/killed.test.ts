import { afterAll, beforeAll, describe, test } from 'vitest';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { River } from '../support/river.ts';
import { expectAsWithoutTrouble } from '../support/river-checks.ts';
import { waveOf } from '../support/wave.ts';

let platform: RunningPlatform;
let river: River;
let wave = 0;

beforeAll(async () => {
  const services = ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'];
  platform = await startPlatform({ services });
  river = await River.open(platform.platform);
});
afterAll(async () => {
  await river?.close();
  await platform?.stop();
});

/** One platform, and one failure after the other: each meets the people, and the state, that those before it have left. */
describe('kill -9 in the middle of the river leaves the profiles, the feed, the books and the deliveries right', () => {
  test.each([
    'collector',
    'identity-stitcher',
    'profile-projector',
    'activation',
    'console',
    'clickhouse',
    'registry',
    'kafka',
  ])(
    '%s',
    async (victim) => {
      const restarts = platform.platform.units().find(({ name }) => name === victim)?.restarts ?? 0;
      await river.send(waveOf(wave++), () => platform.kill(victim));
      await platform.restarted(victim, restarts + 1);
      await expectAsWithoutTrouble(river);
    },
    400_000,
  );
});
