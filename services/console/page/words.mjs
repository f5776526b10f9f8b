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
