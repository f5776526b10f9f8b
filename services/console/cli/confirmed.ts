import { createInterface } from 'node:readline/promises';

/** Whether somebody can be asked. */
export const canBeAsked = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Asks on the terminal. */
export async function confirmed(question: string): Promise<boolean> {
  const dialogue = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await dialogue.question(`${question} [y/N] `)).trim());
  } finally {
    dialogue.close();
  }
}
