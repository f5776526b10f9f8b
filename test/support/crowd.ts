import type { Row } from './identity-stream.ts';

/** People with an account, an address and a cookie of their own; the first of them are also seen with something that they share. */
export const crowd = (people: number, sharing: number, shared: Partial<Row>): Row[] =>
  Array.from({ length: people }, (_, n) => {
    const also = n < sharing ? shared : {};
    return [
      { anonymousId: `cookie-${n}`, userId: `customer-${n}`, email: `customer.${n}@mail.example` },
      { userId: `customer-${n}`, ...also },
      { anonymousId: `cookie-${n}`, ...also },
    ];
  })
    .flat()
    .map((row, n) => ({ type: 'identify', ...row, id: `row-${n}`, ts: n * 1_000, _p: Math.floor(n / 3) }));

/** What somebody typed who did not want to say their address, and a machine in a shop. */
export const garbage = { email: 'nobody@nowhere.example' };
export const kiosk = { anonymousId: 'cookie-kiosk', deviceId: 'kiosk-device' };
