/**
 * What a promise resolves to, if it does so in time. What it stands for goes on and ends unseen.
 * @throws Error when it does not, or when the signal aborts
 */
export async function within<T>(
  milliseconds: number,
  what: string,
  promise: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${milliseconds} ms`)), milliseconds);
  const interrupt = (): void => reject(new Error(`${what} was interrupted`));
  signal?.addEventListener('abort', interrupt, { once: true });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
  }
}
