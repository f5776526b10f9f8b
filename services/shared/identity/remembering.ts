import QuickLRU from 'quick-lru';
import type { Hashing } from './hashing.ts';

/** The same hashing, which remembers what it was asked last: the events of a visit name the same identifiers again and again. */
export function remembering(hashing: Hashing, most = 50_000): Hashing {
  const hashes = new QuickLRU<string, string>({ maxSize: most });
  return {
    hash(type, value) {
      const key = `${type}\0${value}`;
      let hash = hashes.get(key);
      if (hash === undefined) {
        hash = hashing.hash(type, value);
        hashes.set(key, hash);
      }
      return hash;
    },
    profileIdOf: hashing.profileIdOf,
  };
}
