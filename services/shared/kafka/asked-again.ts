import { BackOff } from '#shared/service/back-off.ts';

const FOR_MS = 5_000;

/** Asks again, for five seconds, where Kafka says that this helps: leaders and coordinators are not known for a moment, or have moved. */
export async function askedAgain<T>(ask: () => Promise<T>): Promise<T> {
  const backOff = new BackOff(20, 200);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error as { retriable?: boolean }).retriable || backOff.failingMs > FOR_MS) throw error;
      await backOff.failed();
    }
  }
}
