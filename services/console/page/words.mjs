const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** How somebody may be meant who was written like this, likeliest first: `type:value`. */
export function referencesOf(text) {
  const written = text.trim();
  if (written === '') return [];
  if (/^[a-z][a-z0-9_]*:./i.test(written)) return [written];
  const as = (...types) => types.map((type) => `${type}:${written}`);
  if (written.includes('@')) return as('email', 'user_id');
  if (UUID.test(written)) return as('profile_id', 'anonymous_id', 'user_id');
  if (/^\+?[\d ()/.-]{5,}$/.test(written)) return as('user_id', 'phone', 'anonymous_id');
  return as('user_id', 'anonymous_id');
}

const TYPES = {
  user_id: 'user id',
  email: 'e-mail',
  phone: 'phone',
  anonymous_id: 'browser or app',
  device_id: 'device',
  group_id: 'group',
  profile_id: 'profile',
};

/** `type:value` in two: an external id has a colon in its type. */
export function partsOf(name) {
  const [, type, value] = /^(external_id:[^:]+|[^:]+):(.*)$/s.exec(name) ?? [undefined, '', name];
  return { type, value };
}

export const typeWords = (type) => TYPES[type] ?? type.replace(/^external_id:/, '').replaceAll('_', ' ');

/** `type:value` as it is read out: "user id d…1". */
export function nameWords(name) {
  const { type, value } = partsOf(name);
  return `${typeWords(type)} ${value}`;
}

/** Why a link is refused, or an identifier was moved. */
export function reasonWords(reason) {
  const [code, type] = reason.split(/:(.*)/s);
  if (code === 'limit')
    return type === 'identifiers'
      ? 'one person would have more identifiers than the rules allow'
      : `one person would have more of the type ${typeWords(type)} than the rules allow`;
  const words = {
    linked: 'they were seen together',
    split: 'the link that held them together no longer counts',
    oldest_changed: 'the profile is named for its oldest identifier, and that is another now',
    shared: 'the identifier is shared by too many people',
    blocked: 'somebody blocked the identifier',
    cannot_link: 'somebody decided that they are two people',
    too_large: 'the profile has grown too large',
    too_fast: 'the profile grows too fast',
  };
  return words[code] ?? code.replaceAll('_', ' ');
}

/** What a link rests on: the kind of its claim. */
export function claimWords({ kind, actor, reason }) {
  if (kind === 'observed') return 'seen together in one event';
  if (kind === 'alias') return 'an alias call says so';
  return `${actor} decided so${reason ? `: ${reason}` : ''}`;
}

const FIELDS = {
  identifiers: 'identifiers',
  traits: 'traits',
  computed: 'computed traits',
  audiences: 'audiences',
  consents: 'consents',
  revenue: 'revenue',
  order_count: 'orders',
  products: 'products',
  first_touch: 'what brought them here',
  last_touch: 'what brought them here',
  groups: 'accounts',
  interactions: 'conversations',
  sources: 'sources',
  flags: 'flags',
};

/** What of a profile changed that somebody would want to know; that an event came is said elsewhere. */
export const changeWords = (changed) => [...new Set(changed.flatMap((path) => FIELDS[path.split('.')[0]] ?? []))];

export const shortId = (id) => id.slice(0, 8);

/** An event as it is called. */
export const eventWords = ({ type, event }) =>
  event || { identify: 'Identify', alias: 'Alias', group: 'Group' }[type] || type || 'Event';

/** A command for a POSIX shell. */
export const curlOf = ({ collectorUrl, writeKey }, call, body) =>
  `curl -u ${quoted(`${writeKey}:`)} ${quoted(`${collectorUrl}/v1/${call}`)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`;

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** An exact amount: as text it is not rounded to a number on the way. `XXX` is no currency. */
export function moneyWords(amount, currency) {
  try {
    if (currency !== 'XXX') return new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amount);
  } catch {
    // Not a currency that this browser knows.
  }
  return currency === 'XXX' ? amount : `${amount} ${currency}`;
}

/** An exact number: as text it is not rounded to a double on the way. */
export const amountWords = (amount) => new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 }).format(amount);

/** A name of a trait or a purpose as one says it: `orders_last_30_days` is "Orders last 30 days". */
export function readable(name) {
  const words = name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/[_.]+/g, ' ')
    .trim()
    .split(' ')
    .map((word) => (/^\p{Lu}\p{Ll}+$/u.test(word) ? word.toLowerCase() : word))
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a trait says. */
export function valueWords(value) {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'None' : value.map(valueWords).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function durationWords(ms) {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1_000)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What brought somebody here: the campaign, where it ran, and the page before. */
export function touchWords({ utm_campaign, utm_source, utm_medium, referrer }) {
  const way = [utm_source, utm_medium].filter(Boolean).join(', ');
  const campaign = utm_campaign ? `Campaign ${utm_campaign}${way ? ` (${way})` : ''}` : way;
  const site = siteOf(referrer);
  return [campaign, site && `from ${site}`].filter(Boolean).join(', ') || 'A campaign without a name';
}

function siteOf(address) {
  try {
    return address ? new URL(address).hostname : undefined;
  } catch {
    return address;
  }
}
