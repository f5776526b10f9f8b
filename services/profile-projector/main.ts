import { settingsOf } from '#shared/service/start-up.ts';
import { runnersOf, taskProcess } from '#shared/task/task-process.ts';
import { options } from './config.ts';
import { createProjector } from './projector.ts';

const settings = settingsOf('profile-projector: what do we know about them?', options);
const process = await taskProcess('profile-projector', settings);
await process.run(runnersOf([createProjector({ generation: settings.generation })], process.host));
