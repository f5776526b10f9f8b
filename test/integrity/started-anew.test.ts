import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { River } from '../support/river.ts';
import { expectAsWithoutTrouble } from '../support/river-checks.ts';
import { Supervised } from '../support/supervised.ts';
import { waveOf } from '../support/wave.ts';

let supervised: Supervised;
let river: River;

beforeAll(async () => {
  supervised = await Supervised.create();
  await supervised.start();
  river = await River.open(supervised.platform);
});
afterAll(async () => {
  await river?.close();
  await supervised?.remove();
});

describe('started anew, the platform goes on where it was', () => {
  test('after kill -9 of the supervisor in the middle of the river', async () => {
    let back: Promise<void> | undefined;
    await river.send(waveOf(0), () => {
      back = supervised.kill().then(() => supervised.start());
    });
    await back;
    await expectAsWithoutTrouble(river);
  }, 400_000);

  test('after all local state is lost while the event topics have expired', async () => {
    await river.expire();
    await supervised.stop();
    rmSync(join(supervised.directory, 'state'), { recursive: true });
    await supervised.start();
    // Half of these people are known from before, and are known by nothing but what was restored.
    await river.send(waveOf(1));
    await expectAsWithoutTrouble(river);
  }, 400_000);
});
