import type { Definitions } from '#shared/definitions/definitions.ts';
import { TaskError } from './errors.ts';
import type { Input, Moment, Task } from './task.ts';
import { type State, Workspace } from './workspace.ts';

/** What a batch is processed under. */
export interface Circumstances {
  readonly definitions: Definitions;
  readonly signal: AbortSignal;
  readonly moment: Moment;
}

/** What follows a batch. Encoding may fail by the inputs' fault, committing may not. */
export interface Ending<E> {
  readonly encode: (work: Workspace, inputs: readonly Input[]) => E;
  readonly commit: (encoded: E, work: Workspace) => Promise<void>;
}

/**
 * Runs the core over a batch, of none for a task that goes on by itself, and commits what it wants. If the core throws, or wants something that cannot be encoded, the batch is
 * halved, each half with a commit of its own, until the one input at fault stands alone: that one is rejected. Errors of
 * `commit`, and the loop's own errors, pass through: they are not the inputs' fault.
 */
export async function processInputs<E>(
  task: Task,
  state: State,
  inputs: readonly Input[],
  circumstances: Circumstances,
  ending: Ending<E>,
): Promise<void> {
  let work = new Workspace(task.stores, state, circumstances.moment);
  let encoded: E;
  try {
    const readable = inputs.filter((input) => input.undecodable === undefined);
    for (const input of inputs) {
      if (input.undecodable !== undefined) work.reject(input, { reason: 'undecodable', message: input.undecodable });
    }
    if (readable.length > 0 || (task.goesOn && inputs.length === 0))
      await task.process(readable as never, work as never, circumstances.definitions, circumstances.signal);
    work.assertBalanced(inputs);
    encoded = ending.encode(work, inputs);
  } catch (error) {
    if (error instanceof TaskError) throw error;
    // Without inputs there is none to blame.
    if (inputs.length === 0) throw error;
    if (inputs.length > 1) {
      const middle = inputs.length >> 1;
      await processInputs(task, state, inputs.slice(0, middle), circumstances, ending);
      await processInputs(task, state, inputs.slice(middle), circumstances, ending);
      return;
    }
    work = new Workspace(task.stores, state, circumstances.moment);
    const message = error instanceof Error ? `${error.name} in ${task.name}` : `unknown error in ${task.name}`;
    for (const input of inputs) work.reject(input, { reason: 'processing_failed', message });
    encoded = ending.encode(work, inputs);
  }
  await ending.commit(encoded, work);
}
