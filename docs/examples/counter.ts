import { topics } from '#schemas/topics.ts';
import { defineTask } from '#shared/task/task.ts';

export const counter = defineTask({
  name: 'counter',
  inputs: { event: topics.eventsStitched },
  outputs: {},
  stores: { count: { record: 'EventCount' } },
  process(inputs, work) {
    for (const input of inputs) {
      if (!input.value) {
        work.reject(input, { reason: 'empty', message: 'a record without a value' });
        continue;
      }
      const { count } = work.get('count', input.key) ?? { count: 0 };
      work.put('count', input.key, { event: 'any', count: count + 1 });
      work.settle(input, 'counted');
    }
  },
});
