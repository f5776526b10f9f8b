import { between, hexDigits, oneOf, type Random } from './random.ts';

/**
 * The click stream of the sample: customers of the shop who browse anonymously on one to three devices, log in, and buy. Some
 * devices are shared by a household, some events are sent twice, and a few are bad. All of it follows from the arguments.
 */

/** An event as a browser sends it. */
export interface Click {
  readonly messageId: string;
  readonly type: string;
  readonly anonymousId?: string;
  readonly userId?: string;
  readonly event?: string;
  readonly name?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly traits?: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
}

/** Somebody to follow: browsed without a name on the first device, and came to be known there. */
export interface Story {
  readonly userId: string;
  readonly email: string;
  /** Anonymous ids, in the order of first use. */
  readonly devices: readonly string[];
}

export interface ClickStream {
  /** What each visitor sends, in order. Visitors do not wait for each other. */
  readonly visits: readonly (readonly Click[])[];
  readonly expected: {
    /** All that is sent, repetitions and bad events included. */
    readonly sent: number;
    /** Distinct good events. */
    readonly distinct: number;
    readonly duplicates: number;
    readonly bad: number;
    readonly visitors: number;
    readonly devices: number;
    /** Orders of this stream are in EUR, so that those of the purchase history stand alone. */
    readonly orders: number;
    readonly cents: bigint;
  };
  readonly story: Story;
}

export interface ClickStreamOptions {
  /** User ids of the shop's customers; visitors are some of them. Not empty. */
  readonly customers: readonly string[];
  readonly visitors: number;
  /** When the last visit ends, milliseconds since 1970. */
  readonly until: number;
  readonly random: Random;
}

const PAGES = ['Home', 'New Releases', 'Jazz', 'Classical', 'Rock', 'Search', 'Cart'] as const;
const BROWSERS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
] as const;
const HOUR = 3_600_000;

const SHARED_DEVICE = 0.06;
const NEVER_LOGS_IN = 0.25;
const SENT_TWICE = 0.02;
const BUYS = 0.6;
/** One bad event for so many visitors. */
const BAD_EVERY = 25;

export function clickStream({ customers, visitors, until, random }: ClickStreamOptions): ClickStream {
  const visits: Click[][] = [];
  const household: string[] = [];
  const devices = new Set<string>();
  const shared = new Set<string>();
  const stories: Story[] = [];
  const chosen = chooseCustomers(customers, visitors, random);
  let made = 0;
  let duplicates = 0;
  let bad = 0;
  let orders = 0;
  let cents = 0n;

  for (const [index, userId] of chosen.entries()) {
    const visit: Click[] = [];
    let clock = until - between(random, HOUR, 2 * HOUR);
    const add = (click: Omit<Click, 'messageId' | 'timestamp'>): Click => {
      clock += between(random, 2_000, 90_000);
      const one = { ...click, messageId: `click-${++made}`, timestamp: new Date(clock).toISOString() };
      visit.push(one);
      return one;
    };

    const email = `${userId}@example.com`;
    const mine = Array.from({ length: between(random, 1, 3) }, () => {
      const borrowed = household.length > 0 && random() < SHARED_DEVICE;
      const device = borrowed ? oneOf(random, household) : uuid(random);
      if (borrowed) shared.add(device);
      return device;
    }).filter((device, i, all) => all.indexOf(device) === i);
    household.push(mine[0] as string);

    const logsIn = random() >= NEVER_LOGS_IN;
    for (const [i, anonymousId] of mine.entries()) {
      devices.add(anonymousId);
      const context = { userAgent: BROWSERS[(index + i) % BROWSERS.length], locale: 'en-US' };
      const browse = (user: object): void => {
        for (let left = between(random, 1, 3); left > 0; left--) {
          const name = oneOf(random, PAGES);
          const properties = { path: `/${name.toLowerCase().replace(' ', '-')}` };
          add({ type: 'page', anonymousId, ...user, name, properties, context });
        }
      };
      browse({});
      if (!logsIn) continue;
      add({ type: 'identify', anonymousId, userId, traits: { email, plan: oneOf(random, ['free', 'club']) }, context });
      browse({ userId });
      if (random() >= BUYS) continue;
      const price = between(random, 799, 24_999);
      const properties = {
        order_id: `click-order-${made + 1}`,
        revenue: price / 100,
        currency: 'EUR',
        products: [{ product_id: 'cd', quantity: between(random, 1, 4) }],
      };
      add({ type: 'track', anonymousId, userId, event: 'Order Completed', properties, context });
      orders++;
      cents += BigInt(price);
    }

    const good = visit.slice();
    for (const click of good) {
      if (random() >= SENT_TWICE) continue;
      visit.push(click);
      duplicates++;
    }
    if (index % BAD_EVERY === 0) {
      const context = { userAgent: BROWSERS[0] };
      if (bad % 2 === 0) add({ type: 'page', name: 'Home', context });
      else add({ type: 'track', anonymousId: mine[0] as string, context });
      bad++;
    }
    visits.push(visit);
    if (logsIn && mine.length >= 2) stories.push({ userId, email, devices: mine });
  }

  const story = stories.find((one) => one.devices.every((device) => !shared.has(device)));
  if (!story) throw new Error('too few visitors for a story');
  return {
    visits,
    expected: {
      sent: visits.reduce((sum, visit) => sum + visit.length, 0),
      distinct: made - bad,
      duplicates,
      bad,
      visitors: visits.length,
      devices: devices.size,
      orders,
      cents,
    },
    story,
  };
}

/** Different customers, in the order in which they were drawn. */
function chooseCustomers(customers: readonly string[], count: number, random: Random): string[] {
  const left = [...customers];
  const chosen: string[] = [];
  while (chosen.length < count && left.length > 0) {
    const index = Math.floor(random() * left.length);
    chosen.push(left[index] as string);
    left[index] = left.at(-1) as string;
    left.pop();
  }
  return chosen;
}

const uuid = (random: Random): string => {
  const hex = hexDigits(random, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};
