import { inject } from 'vitest';
import type { Addresses } from './installation.ts';

declare module 'vitest' {
  interface ProvidedContext {
    addresses: Addresses;
  }
}

/** The Kafka and registry that were started for the tests. */
export const addresses = (): Addresses => inject('addresses');
