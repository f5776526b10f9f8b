import { clockTime, h } from './elements.mjs';
import { changeWords, eventWords, nameWords, reasonWords } from './words.mjs';

/**
 * A row of the list of what happens.
 * @param around `nameOf` and `formerNameOf`: what the page calls a profile, and one that is no more; `look` is called with a reference,
 * and perhaps another to be compared with
 */
export function rowElement(row, around) {
  const parts = { event: eventRow, joined: joinedRow, version: versionRow, decision: decisionRow };
  const { mark, title, body } = parts[row.kind](row, around);
  return h(
    'li',
    { class: `row ${mark}`, 'data-key': row.key },
    h('div', { class: 'row-head' }, h('span', { class: 'row-title' }, title), clockTime(row.at)),
    body,
  );
}

/** What is said aloud of a row; undefined: nothing, it is one of many. */
export function spoken(row, nameOf) {
  if (row.kind !== 'joined' || row.former === undefined || row.moves.length === 0) return undefined;
  return `Two people became one, ${nameOf(row.into)}: ${reasonText(row)}`;
}

const chip = (id, { nameOf, look }) =>
  h(
    'button',
    { type: 'button', class: 'chip', 'data-focus': `chip-${id}`, title: id, onclick: () => look(`profile_id:${id}`) },
    h('span', { class: 'unseen' }, 'Look up '),
    nameOf(id),
  );

/** A step of an event's way: done, or still to come. */
const step = (isDone, ...text) => h('li', { class: isDone ? 'step done' : 'step' }, ...text);

function eventRow(row, around) {
  const facts = h(
    'p',
    { class: 'facts' },
    [row.event && row.type, row.source, row.accepted > 1 && `sent ${row.accepted} times, counted once`]
      .filter(Boolean)
      .join(' · '),
  );
  if (row.rejected)
    return {
      mark: 'is-bad',
      title: 'Rejected event',
      body: [facts, h('p', {}, `${row.rejected.message} (${row.rejected.reason}, by ${row.rejected.stage})`)],
    };
  const { profile_id, version } = row;
  const changed = version ? changeWords(version.changed) : [];
  return {
    mark: 'is-event',
    title: eventWords(row),
    body: [
      facts,
      h(
        'ol',
        { class: 'steps', 'aria-label': 'Its way' },
        step(row.accepted > 0, 'Accepted'),
        profile_id === undefined ? step(false, 'Who is it?') : step(true, 'It is ', chip(profile_id, around)),
        version === undefined
          ? step(false, 'Profile')
          : step(
              true,
              version.version === 1 ? 'New profile' : `Profile version ${version.version}`,
              h('span', { class: 'took' }, ` ${row.versionMs} ms`),
            ),
      ),
      changed.length > 0 && h('p', { class: 'changed' }, `Changed: ${changed.join(', ')}`),
    ],
  };
}

const reasonText = (row) => {
  const [move] = row.moves;
  if (!move) return 'the reason is on its way';
  if (move.reason !== 'linked' || move.other === null) return reasonWords(move.reason);
  return `${nameWords(move.identifier)} and ${nameWords(move.other)} were seen together`;
};

function joinedRow(row, around) {
  const { into, former, moves, version, reason } = row;
  const names = [...new Set(moves.map(({ identifier }) => identifier))];
  const grown = version && `${version.identifiers} identifiers, ${version.events} events, version ${version.version}`;
  if (former === undefined) {
    const isSplit = reason === 'split';
    return {
      mark: 'is-known',
      title: isSplit ? 'Taken apart' : 'Recognised',
      body: [
        h(
          'p',
          {},
          `${names.map(nameWords).join(' and ')} ${names.length > 1 ? 'belong' : 'belongs'} to `,
          chip(into, around),
        ),
        h('p', { class: 'facts' }, `Because ${reasonText(row)}`),
      ],
    };
  }
  return {
    mark: 'is-union',
    title: 'Two people became one',
    body: [
      h(
        'p',
        { class: 'union' },
        h('span', { class: 'former', title: former }, around.formerNameOf(former)),
        h('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'),
        h('span', { class: 'unseen' }, ' is now '),
        chip(into, around),
      ),
      h('p', { class: 'because' }, h('strong', {}, 'Why: '), reasonText(row)),
      grown && h('p', { class: 'facts' }, grown),
      h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'data-focus': 'why',
          onclick: () => around.look(`profile_id:${into}`, `profile_id:${former}`),
        },
        'Why one person?',
      ),
    ],
  };
}

function versionRow({ profile_id, version, why }, around) {
  const changed = changeWords(version.changed);
  const words = {
    event: 'events',
    regroup: 'other identifiers',
    definition: 'a new definition',
    window: 'time that passed',
    retention: 'nothing heard for so long',
  };
  return {
    mark: 'is-profile',
    title: 'A profile changed',
    body: [
      h('p', {}, chip(profile_id, around), ` version ${version.version}`),
      h(
        'p',
        { class: 'facts' },
        [
          why.length > 0 && `By ${why.map((one) => words[one] ?? one).join(' and ')}`,
          version.gone
            ? why.includes('retention')
              ? 'it has expired'
              : 'it is gone'
            : changed.length > 0 && `changed: ${changed.join(', ')}`,
        ]
          .filter(Boolean)
          .join('; '),
      ),
    ],
  };
}

function decisionRow({ what, profile_id, identifier, other, reason }, around) {
  const titles = { refused: 'Kept apart', quarantined: 'Put in quarantine', released: 'Released from quarantine' };
  return {
    mark: what === 'released' ? 'is-known' : 'is-warning',
    title: titles[what],
    body: [
      h(
        'p',
        {},
        other === null ? nameWords(identifier) : `${nameWords(identifier)} and ${nameWords(other)}`,
        ' · ',
        chip(profile_id, around),
      ),
      h('p', { class: 'facts' }, `Because ${reasonWords(reason)}`),
    ],
  };
}
