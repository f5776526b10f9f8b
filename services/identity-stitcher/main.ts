import { hashingWith } from '#shared/identity/hashing.ts';
import { readSecret, settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { options } from './config.ts';
import { createLinker } from './linker.ts';
import { createResolver } from './resolver.ts';

const settings = settingsOf('identity-stitcher: who is this?', options);
const hashing = hashingWith(readSecret(settings));
const { generation } = settings;
const process = await taskProcess('identity-stitcher', settings);
await process.run(
  runnersOf([createResolver({ hashing, generation }), createLinker({ hashing, generation })], process.host),
);
