import { definitionsIn } from '#shared/definitions/laid-over.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { historyReading } from '#shared/service/history-reading.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { OtherGenerations } from '#shared/task/other-generations.ts';
import type { TaskHost } from '#shared/task/runner.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { options } from './config.ts';
import { createLinker } from './linker.ts';
import { createReclaim } from './reclaim.ts';
import { createResolver } from './resolver.ts';

const settings = settingsOf('identity-stitcher: who is this?', options);
const hashing = hashingWith(readSecret(settings));
const { generation, quiet, replayClaims, replayClaimsCut, replayDefinitions } = settings;
const process = await taskProcess('identity-stitcher', settings);
const { host } = process;
const ownRules =
  replayDefinitions !== '' && definitionsIn(replayDefinitions).some(({ kind }) => kind === 'identity_rules');
let reading: ReturnType<typeof historyReading> | undefined;
const runners = (around: TaskHost, claims: string, cut: number, quiet: boolean, ownRules: boolean) => {
  const { generation } = around;
  const rebuilt = claims === 'rebuilt';
  const linker = createLinker({ hashing, generation, quiet, rebuilt, ownRules });
  if (!rebuilt) return runnersOf([linker], around);
  reading ??= historyReading(settings, 'identity-stitcher', host);
  return runnersOf([linker, createReclaim({ generation, cut, ...reading })], around);
};
const own = runners(host, replayClaims, replayClaimsCut, quiet, ownRules);
const others = new OtherGenerations(host, ({ claims, claims_cut }, around) =>
  runners(around, claims, claims_cut, true, false),
);
// What came in, and under which profile it was said, is resolved once, for all generations.
const resolver = () => runnersOf([createResolver({ hashing, generation })], host);
await process.run(quiet ? own : [...own, ...resolver(), others]);
