/** Base of the loop's own errors: a stable code, and whether trying again can help. */
export abstract class TaskError extends Error {
  abstract readonly code: string;
  abstract readonly retryable: boolean;
}

/** Kafka, a disk or a destination is out of reach. The input is not at fault; the task is taken over anew. */
export class LostInfrastructure extends TaskError {
  readonly code = 'lost_infrastructure';
  readonly retryable = true;
}

/** The log and the task disagree about where the task stands. Going on would skip or repeat events: a person must look. */
export class PositionContradiction extends TaskError {
  readonly code = 'position_contradiction';
  readonly retryable = false;
}

/** Another member owns the partition now. */
export class NotOwner extends TaskError {
  readonly code = 'not_owner';
  readonly retryable = true;
}
