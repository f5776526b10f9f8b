import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaClient, Partitioners, type Producer } from './client.ts';

/** Others may write at the same time; so often we give way to them. */
const MOST_TRIES = 50;
/** A writer that dies holds readers up for so long. */
const TRANSACTION_TIMEOUT_MS = 10_000;

/**
 * Lets any number of processes write on top of what those before have left, one after the other.
 * @param write looks at what there is, and sends what it makes of it. Whatever goes wrong it is called again: then its own records may be
 * there, too. A failure that is to be told must be returned, not thrown.
 * @returns what the last call of `write` did; where it was not to be kept, nothing was written
 */
export async function inTurn<T>(
  kafka: KafkaClient,
  transactionalId: string,
  write: (transaction: Pick<Producer, 'send'>) => Promise<{ readonly result: T; readonly keep: boolean }>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await once(kafka, transactionalId, write);
    } catch (error) {
      // Most likely another writer came, and this one is fenced. Whatever it was: the topic tells what has come of it.
      if (tries === MOST_TRIES) throw error;
      await sleep(Math.random() * Math.min(100 * tries, 1_000));
    }
  }
}

async function once<T>(
  kafka: KafkaClient,
  transactionalId: string,
  write: (transaction: Pick<Producer, 'send'>) => Promise<{ readonly result: T; readonly keep: boolean }>,
): Promise<T> {
  const producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    // From here on nobody who came earlier can commit, so what is read now is final unless somebody fences us.
    const transaction = await producer.transaction();
    try {
      const { result, keep } = await write(transaction);
      if (keep) await transaction.commit();
      else await transaction.abort();
      return result;
    } catch (error) {
      await transaction.abort().catch(() => undefined);
      throw error;
    }
  } finally {
    await producer.disconnect();
  }
}
