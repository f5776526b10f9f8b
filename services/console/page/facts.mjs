import { $, dayTime, h } from './elements.mjs';
import { amountWords, durationWords, moneyWords, readable, touchWords, valueWords } from './words.mjs';

/** So many products are shown; of more those that brought most. */
const MOST_PRODUCTS = 8;

/** What is known of somebody besides identifiers, traits and events, each part of it only where there is something. */

/** Figures, for the head. */
export function figuresOf({ events, sessions, order_count, flags, revenue, first_seen, last_seen }) {
  const money = Object.entries(revenue).map(([currency, amount]) => moneyWords(amount, currency));
  const figure = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', {}, ...value));
  const about = (flag) => (flags.includes(flag) ? 'about ' : '');
  return h(
    'dl',
    { class: 'tiles' },
    figure('Events', String(events)),
    sessions.count > 0 &&
      figure(
        'Visits',
        String(sessions.count),
        h('span', { class: 'facts' }, ` ${durationWords(sessions.total_ms)} in all`),
      ),
    order_count > 0 && figure('Orders', `${about('orders_cut')}${order_count}`),
    money.length > 0 && figure('Revenue', money.join(', ')),
    first_seen && figure('First seen', dayTime(first_seen)),
    last_seen && figure('Last seen', dayTime(last_seen)),
  );
}

/** Who is in touch with them, to be seen before anything else. */
export function showConversations({ interactions }) {
  replaceKept(
    $('conversations'),
    ...part('conversations', 'In touch with them', interactions, (all) =>
      h(
        'ul',
        { class: 'facts-list', 'aria-labelledby': 'conversations-title' },
        ...all.map(({ id, state, channel, direction, agent, timestamp, source }) =>
          h(
            'li',
            {},
            badge(state === 'open' ? 'Open' : 'Closed', state === 'open' ? 'is-warning' : ''),
            said(
              [channel ? readable(channel) : id, direction, agent && `with ${agent}`].filter(Boolean).join(', '),
              `${channel ? `${id} · ` : ''}${source} · `,
              dayTime(timestamp),
            ),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param computed computed traits, and those that are being filled
 * @param look shows who is called so
 */
export function showFacts(profile, { computed, filling = {} }, look) {
  replaceKept(
    $('facts'),
    ...part('touches', 'What brought them here', touchesOf(profile), touchList),
    ...part('groups', 'Accounts', profile.groups, (groups) => groupList(groups, look)),
    ...part('products', 'Bought', byMoney(profile.products), productTable),
    ...part('computed', 'Computed', [...Object.entries(computed), ...onlyFilling(computed, filling)], (all) =>
      computedTable(all, filling),
    ),
    ...part('consents', 'Consents', profile.consents, consentList),
  );
}

/** A part with its title; nothing where there is nothing to show. */
const part = (id, title, all, content) =>
  all.length === 0
    ? []
    : [
        h(
          'section',
          { class: 'part', 'aria-labelledby': `${id}-title` },
          h('h4', { id: `${id}-title` }, title),
          content(all),
        ),
      ];

const badge = (text, mark) => h('span', { class: `badge ${mark}` }, text);

/** What is said, and where and when: in one line where there is room. */
const said = (what, ...facts) =>
  h('div', { class: 'said' }, h('span', {}, what), h('span', { class: 'facts' }, ...facts));

const table = (id, columns, rows) =>
  h(
    'table',
    { 'aria-labelledby': `${id}-title` },
    h('thead', {}, h('tr', {}, ...columns.map(([name, mark]) => h('th', { scope: 'col', class: mark }, name)))),
    h('tbody', {}, ...rows),
  );

function touchesOf({ first_touch, last_touch }) {
  if (!first_touch) return [];
  const isOne = first_touch.message_id === last_touch?.message_id && first_touch.source === last_touch?.source;
  return isOne || !last_touch
    ? [['At first', first_touch]]
    : [
        ['At first', first_touch],
        ['Lately', last_touch],
      ];
}

const touchList = (touches) =>
  h(
    'ul',
    { class: 'facts-list', 'aria-labelledby': 'touches-title' },
    ...touches.map(([when, touch]) =>
      h(
        'li',
        {},
        h('span', { class: 'type' }, when),
        said(touchWords(touch), `${touch.source} · `, dayTime(touch.timestamp)),
      ),
    ),
  );

const groupList = (groups, look) =>
  h(
    'ul',
    { class: 'groups', 'aria-labelledby': 'groups-title' },
    ...groups.map(({ group, traits, timestamp, source }) => {
      const says = Object.entries(traits);
      return h(
        'li',
        {},
        h(
          'p',
          { class: 'group' },
          h(
            'button',
            { type: 'button', class: 'chip', 'data-focus': `group-${group}`, onclick: () => look(`group_id:${group}`) },
            h('span', { class: 'unseen' }, 'Look up the account '),
            group,
          ),
          h('span', { class: 'facts' }, `${source} · `, dayTime(timestamp)),
        ),
        says.length > 0 &&
          h(
            'dl',
            { class: 'pairs' },
            ...says.map(([name, value]) =>
              h('div', {}, h('dt', {}, name), h('dd', { class: 'value' }, valueWords(value))),
            ),
          ),
      );
    }),
  );

const byMoney = (products) => products.toSorted((a, b) => Number(b.revenue) - Number(a.revenue));

const productTable = (products) =>
  h(
    'div',
    {},
    table(
      'products',
      [['Product'], ['Pieces', 'number'], ['Money', 'number']],
      products
        .slice(0, MOST_PRODUCTS)
        .map(({ product, name, quantity, revenue, currency }) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row', title: product }, name || product),
            h('td', { class: 'number' }, amountWords(quantity)),
            h('td', { class: 'number' }, moneyWords(revenue, currency)),
          ),
        ),
    ),
    products.length > MOST_PRODUCTS &&
      h('p', { class: 'facts' }, `These brought most. ${products.length - MOST_PRODUCTS} more are not shown.`),
  );

/** Those that have no value yet. */
const onlyFilling = (computed, filling) =>
  Object.keys(filling)
    .filter((name) => !Object.hasOwn(computed, name))
    .map((name) => [name, undefined]);

const computedTable = (all, filling) =>
  table(
    'computed',
    [['Trait'], ['Value']],
    all.map(([name, value]) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row', title: name }, readable(name)),
        h(
          'td',
          { class: 'value' },
          value === undefined ? '' : `${valueWords(value)} `,
          Object.hasOwn(filling, name) && badge(`Filling, ${Math.floor(filling[name] * 100)} %`, 'is-warning'),
        ),
      ),
    ),
  );

const consentList = (consents) =>
  h(
    'ul',
    { class: 'facts-list', 'aria-labelledby': 'consents-title' },
    ...consents.map(({ purpose, state, time, source, policy_version }) =>
      h(
        'li',
        {},
        state === 'granted' ? badge('Allowed', 'is-good') : badge('Denied', 'is-bad'),
        said(
          readable(purpose),
          `${[source, policy_version && `policy ${policy_version}`].filter(Boolean).join(' · ')} · `,
          dayTime(time),
        ),
      ),
    ),
  );

/** Puts these into an element; what has the focus keeps it, by its `data-focus`. */
function replaceKept(container, ...children) {
  const kept = container.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  container.replaceChildren(...children);
  if (kept === undefined) return;
  [...container.querySelectorAll('[data-focus]')].find((one) => one.dataset.focus === kept)?.focus();
}
