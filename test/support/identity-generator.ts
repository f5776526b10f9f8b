import type { Row } from './identity-stream.ts';
import { randomFrom } from './random.ts';

/** Who lives in a made-up stream. Shares are of people, chances are of a visit. */
export interface Composition {
  readonly people: number;
  readonly days: number;
  /** Who has an account and logs in. */
  readonly accounts: number;
  /** Who has none, and may leave an address in a form. */
  readonly leads: number;
  /** Who has a second address, told with the same account. */
  readonly secondAddress: number;
  /** Who shares a device with others at home, two to five together. */
  readonly households: number;
  /** Who uses one of the kiosks as well, and how many kiosks there are. */
  readonly kioskUsers: number;
  readonly kiosks: number;
  /** Devices with an id of their own (apps); the others have only a cookie. */
  readonly deviceIds: number;
  /** Chance that a cookie was deleted before a visit. */
  readonly clears: number;
  /** Chance that an event carries a value that means nothing. */
  readonly garbage: number;
}

/** About the composition of the stream of `test/data`. */
export const usual: Composition = {
  people: 3_000,
  days: 60,
  accounts: 0.5,
  leads: 0.35,
  secondAddress: 0.03,
  households: 0.1,
  kioskUsers: 0.09,
  kiosks: 3,
  deviceIds: 0.35,
  clears: 0.08,
  garbage: 0.004,
};
/** Families on one tablet, and a shop with many terminals. */
export const shared: Composition = { ...usual, households: 0.3, kioskUsers: 0.2, kiosks: 10, deviceIds: 0.5 };
/** Browsers that forget, forms that are filled with anything, hardly an account. */
export const forgetful: Composition = { ...usual, accounts: 0.35, leads: 0.5, clears: 0.25, garbage: 0.02, days: 120 };

const DAY = 86_400_000;
const SESSIONS = 2.9;
const garbageValues = [
  ['userId', ['undefined', 'null', '0', 'anonymous', '[object Object]']],
  ['email', ['test@test.com', 'none@none.com', 'null', 'a@a.com']],
  ['phone', ['0000000000', '+10000000000']],
] as const;

interface Device {
  readonly id: string | undefined;
  cookie: string;
  /** Who is logged in, and for whom the cookie was made. */
  account: string | undefined;
}

/** A stream of the same kind as that of `test/data`, in order of time: the same for the same seed. */
export function generatedRows(seed: number, of: Composition): Row[] {
  const random = randomFrom(seed);
  const chance = (likely: number): boolean => random() < likely;
  const below = (limit: number): number => Math.floor(random() * limit);
  const hex = (digits: number): string => Array.from({ length: digits }, () => below(16).toString(16)).join('');
  const cookie = (): string => `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`;
  const device = (id?: string): Device => ({
    id: id ?? (chance(of.deviceIds) ? `dev-${cookie()}` : undefined),
    cookie: cookie(),
    account: undefined,
  });
  const kiosks = Array.from({ length: of.kiosks }, (_, n) => device(`kiosk-${n}`));
  const visits: { at: number; person: Person; device: Device; isShared: boolean; clears: number }[] = [];
  const drafts: Omit<Row, 'id'>[] = [];

  let home: { device: Device; left: number } | undefined;
  for (let n = 0; n < of.people; n++) {
    const person = personOf(n, of, chance, hex);
    if (home && --home.left < 0) home = undefined;
    if (!home && chance(of.households / 3)) home = { device: device(), left: 1 + below(4) };
    const own = Array.from({ length: 1 + (chance(0.4) ? 1 : 0) + (chance(0.1) ? 1 : 0) }, () => device());
    const kiosk = chance(of.kioskUsers) ? kiosks[below(kiosks.length)] : undefined;
    do {
      const at = random() * of.days * DAY;
      const pick = random();
      if (kiosk && pick < 0.4) visits.push({ at, person, device: kiosk, isShared: true, clears: 0.12 });
      else if (home && pick < 0.5) visits.push({ at, person, device: home.device, isShared: true, clears: of.clears });
      else visits.push({ at, person, device: own[below(own.length)] as Device, isShared: false, clears: of.clears });
    } while (chance(1 - 1 / SESSIONS));
    const { account, email, phone } = person;
    while (account && chance(0.27))
      drafts.push({
        ts: random() * of.days * DAY,
        type: 'server',
        _p: n,
        userId: account,
        email: email(),
        ...(chance(0.5) && { phone }),
      });
  }

  for (const { at, person, device: on, isShared, clears } of visits.sort((a, b) => a.at - b.at)) {
    if (chance(clears)) Object.assign(on, { cookie: cookie(), account: undefined });
    // Nobody clicks under another's name; who comes later is only not logged in.
    if (isShared || on.account !== person.account) on.account = undefined;
    let ts = at;
    const push = (type: string, told: Partial<Row>): void => {
      ts += 5_000 + below(90_000);
      const row = { ts, type, _p: person.number, anonymousId: on.cookie, deviceId: on.id, ...told };
      if (chance(of.garbage)) {
        const [field, values] = garbageValues[below(garbageValues.length)] as (typeof garbageValues)[number];
        Object.assign(row, { [field]: values[below(values.length)] });
      }
      drafts.push(row);
    };
    const known = on.account;
    for (let left = 1 + below(8); left > 0; left--) push('page', { userId: known });
    if (known) continue;
    const { account, email, phone, leaves } = person;
    if (account && chance(0.6)) {
      const told = { ...(chance(0.8) && { email: email() }), ...(chance(0.22) && { phone }) };
      push('identify', { userId: account, ...told });
      for (let left = below(6); left > 0; left--) push('track', { userId: account });
      on.account = account;
    } else if (!account && leaves && chance(0.45)) {
      push('lead', { email: email(), ...(chance(0.2) && { phone }) });
    }
  }
  return drafts
    .filter(({ ts }) => ts < of.days * DAY)
    .sort((a, b) => a.ts - b.ts)
    .map((row, n) => ({ ...row, id: `g${n}`, ts: Math.floor(row.ts) }));
}

interface Person {
  readonly number: number;
  readonly account: string | undefined;
  readonly leaves: boolean;
  readonly phone: string;
  /** One of their addresses. */
  email(): string;
}

function personOf(n: number, of: Composition, chance: (likely: number) => boolean, hex: (digits: number) => string) {
  const account = chance(of.accounts) ? `u_${hex(8)}${n}` : undefined;
  const addresses = [`p${n}.${hex(4)}@ex${n % 97}.com`];
  if (chance(of.secondAddress)) addresses.push(`w${n}@work${n % 31}.com`);
  return {
    number: n,
    account,
    leaves: chance(of.leads / (1 - of.accounts)),
    phone: `+1202555${String(1_000 + (n % 9_000)).padStart(4, '0')}`,
    email: () => addresses[addresses.length > 1 && chance(0.4) ? 1 : 0] as string,
  };
}
