/** Why a command cannot do its work, in words for its user. */
export class Trouble extends Error {
  /** What to do about it; empty where the message says all. */
  readonly advice: string;
  /** 1: something is wrong; 2: the command was asked wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, advice: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.advice = advice;
    this.exitCode = exitCode;
  }
}
