import { inject } from 'vitest';
import type { Addresses } from './installation.ts';

export interface AllAddresses extends Addresses {
  readonly clickhouseUrl: string;
  readonly clickhousePassword: string;
  /** The same Kafka and registry as ClickHouse reaches them. */
  readonly forClickHouse: Addresses;
}

declare module 'vitest' {
  interface ProvidedContext {
    addresses: AllAddresses;
  }
}

/** What was started for the tests. */
export const addresses = (): AllAddresses => inject('addresses');
