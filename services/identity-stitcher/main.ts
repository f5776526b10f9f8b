import { definitionsIn } from '#shared/definitions/laid-over.ts';
import { hashingWith } from '#shared/identity/hashing.ts';
import { historyReading } from '#shared/service/history-reading.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { options } from './config.ts';
import { createLinker } from './linker.ts';
import { createReclaim } from './reclaim.ts';
import { createResolver } from './resolver.ts';

const settings = settingsOf('identity-stitcher: who is this?', options);
const hashing = hashingWith(readSecret(settings));
const { generation, quiet, replayClaims, replayClaimsCut: cut, replayDefinitions } = settings;
const rebuilt = replayClaims === 'rebuilt';
const process = await taskProcess('identity-stitcher', settings);
const { host } = process;
const ownRules =
  replayDefinitions !== '' && definitionsIn(replayDefinitions).some(({ kind }) => kind === 'identity_rules');
const linker = createLinker({ hashing, generation, quiet, rebuilt, ownRules });
const reclaim = () => createReclaim({ generation, cut, ...historyReading(settings, 'identity-stitcher', host) });
// What came in, and under which profile it was said, is resolved once, for all generations.
const others = quiet ? [] : [createResolver({ hashing, generation })];
await process.run(runnersOf([linker, ...others, ...(rebuilt ? [reclaim()] : [])], host));
