import type { Row } from './identity-stream.ts';

/** People with an account, an address and a cookie of their own; the first of them are also seen with something else. */
export const crowd = (people: number, seen: number, also: (person: number) => Partial<Row>): Row[] =>
  Array.from({ length: people }, (_, n) => {
    const more = n < seen ? also(n) : {};
    return [
      { anonymousId: `cookie-${n}`, userId: `customer-${n}`, email: `customer.${n}@mail.example` },
      { userId: `customer-${n}`, ...more },
      { anonymousId: `cookie-${n}`, ...more },
    ];
  })
    .flat()
    .map((row, n) => ({ type: 'identify', ...row, id: `row-${n}`, ts: n * 1_000, _p: Math.floor(n / 3) }));

/** What somebody typed who did not want to say their address. */
export const garbage = (): Partial<Row> => ({ email: 'nobody@nowhere.example' });
export const secondAddress = (person: number): Partial<Row> => ({ email: `second.${person}@mail.example` });
/** A machine in a shop. */
export const kiosk = (): Partial<Row> => ({ anonymousId: 'cookie-kiosk', deviceId: 'kiosk-device' });
export const secondBrowser = (person: number): Partial<Row> => ({
  anonymousId: `cookie-second-${person}`,
  deviceId: `device-${person}`,
});
