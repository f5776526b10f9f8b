import { ask, pathOf, Refused } from './api.mjs';
import { $, announce, clockTime, dayTime, h } from './elements.mjs';
import { figuresOf, showConversations, showFacts } from './facts.mjs';
import {
  claimWords,
  eventWords,
  nameWords,
  partsOf,
  reasonWords,
  referencesOf,
  shortId,
  typeWords,
  valueWords,
} from './words.mjs';

const PAGE = 20;
/** ClickHouse, which has the timeline, follows profiles within a second or so. */
const TIMELINE_BEHIND_MS = [400, 2_000];

const UNKNOWN = ['profile_not_found', 'identifier_not_found', 'invalid_identifier'];
const MOST_TRIES = 60;

const isNot =
  (...codes) =>
  (error) => {
    if (error instanceof Refused && codes.includes(error.code)) return undefined;
    throw error;
  };

/** Asks for the first of these that there is. @throws Refused when there is none */
async function first(references, part = '') {
  for (const reference of references.slice(0, -1)) {
    const found = await ask(pathOf(reference, part)).catch(isNot(...UNKNOWN));
    if (found) return found;
  }
  return ask(pathOf(references.at(-1), part));
}

/** Who somebody is, by whatever says it best. */
function titleOf({ traits, identifiers, profile_id }) {
  const text = (value) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined);
  const names = [traits.firstName ?? traits.first_name, traits.lastName ?? traits.last_name].map(text).filter(Boolean);
  const of = (type) => identifiers.find((one) => one.type === type)?.value;
  return (
    text(traits.name) ??
    (names.length > 0 ? names.join(' ') : undefined) ??
    of('email') ??
    of('user_id') ??
    of('group_id') ??
    `Visitor ${shortId(profile_id)}`
  );
}

/** Looks people up, and keeps who is shown as they are now. */
export class PersonPanel {
  #onUnauthorized;
  #profile;
  #events = [];
  #next = null;
  #asked = 0;
  /** How often all is looked at again while the timeline lacks events that the profile has, or a computed trait is being filled. */
  #triesLeft = MOST_TRIES;
  #explained = 0;
  #timers = [];

  constructor(onUnauthorized) {
    this.#onUnauthorized = onUnauthorized;
    $('find').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.look($('reference').value);
    });
  }

  clear() {
    this.#forgetTimers();
    this.#asked++;
    this.#profile = undefined;
    $('found').replaceChildren();
    $('find-problem').textContent = '';
    $('nobody-yet').hidden = false;
  }

  /** Shows who is called this; with `other`, also why the two are one person. */
  async look(written, other) {
    const references = referencesOf(written);
    if (references.length === 0) return;
    const mine = ++this.#asked;
    $('find-problem').textContent = '';
    try {
      const profile = await first(references);
      if (mine !== this.#asked) return;
      this.#profile = profile;
      this.#events = [];
      this.#show();
      announce(`Found: ${titleOf(profile)}`);
      if (other !== undefined) void this.#explain(`profile_id:${profile.profile_id}`, [other]);
      else $('found-title').focus();
      await this.#refresh(mine);
    } catch (error) {
      if (mine === this.#asked) this.#failed(error);
    }
  }

  /** A new version of a profile was seen. */
  changed({ profile_id, gone, into }) {
    if (!this.#profile) return;
    const { profile_id: shown } = this.#profile;
    if (profile_id !== shown && into !== shown) return;
    if (gone && into !== null && profile_id === shown) this.#profile = { ...this.#profile, profile_id: into };
    this.#forgetTimers();
    this.#triesLeft = MOST_TRIES;
    this.#refreshIn(...TIMELINE_BEHIND_MS);
  }

  #refreshIn(...waits) {
    const mine = this.#asked;
    const timers = waits.map((wait) =>
      setTimeout(() => this.#refresh(mine).catch((error) => this.#failed(error)), wait),
    );
    this.#timers.push(...timers);
  }

  #forgetTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  async #refresh(mine) {
    const reference = `profile_id:${this.#profile.profile_id}`;
    const [profile, traits, computed, events] = await Promise.all([
      ask(pathOf(reference)),
      ask(pathOf(reference, '/traits')),
      ask(pathOf(reference, '/computed')),
      ask(pathOf(reference, `/events?limit=${Math.max(PAGE, this.#events.length)}`)).catch(
        isNot('warehouse_unavailable', 'forbidden'),
      ),
    ]);
    if (mine !== this.#asked) return;
    this.#profile = profile;
    this.#showHead();
    showConversations(profile);
    this.#showIdentifiers();
    showFacts(profile, computed, (name) => void this.look(name));
    this.#showTraits(traits);
    this.#next = events?.next ?? null;
    this.#events = events?.events ?? [];
    this.#showTimeline(events === undefined);
    const missing = events && this.#events.length < Math.min(PAGE, profile.events);
    const isFilling = Object.keys(computed.filling ?? {}).length > 0;
    if ((missing || isFilling) && this.#triesLeft-- > 0) this.#refreshIn(TIMELINE_BEHIND_MS.at(-1));
  }

  async #more() {
    const reference = `profile_id:${this.#profile.profile_id}`;
    const mine = this.#asked;
    const { events, next } = await ask(
      pathOf(reference, `/events?limit=${PAGE}&cursor=${encodeURIComponent(this.#next)}`),
    );
    if (mine !== this.#asked) return;
    const from = this.#events.length;
    this.#events = [...this.#events, ...events];
    this.#next = next;
    this.#showTimeline(false);
    announce(`${events.length} more events`);
    $('timeline').children[from]?.querySelector('summary, .event-name')?.focus();
  }

  #failed(error) {
    if (error instanceof Refused && error.status === 401) {
      this.#onUnauthorized(error);
      return;
    }
    const problems = {
      profile_not_found: 'Nobody is known by this.',
      not_ready: 'Profiles are still being read. Try again in a moment.',
    };
    $('find-problem').textContent =
      problems[error.code] ?? (error instanceof Refused ? `${error.message}.` : 'The API does not answer.');
  }

  #show() {
    $('nobody-yet').hidden = true;
    const part = (id, title, ...content) =>
      h(
        'section',
        { class: 'part', 'aria-labelledby': `${id}-title` },
        h('h4', { id: `${id}-title` }, title),
        ...content,
      );
    $('found').replaceChildren(
      h('div', { id: 'found-head' }),
      h('div', { id: 'conversations' }),
      part(
        'why',
        'Why one person?',
        h('ul', { id: 'identifiers', class: 'identifiers', 'aria-label': 'Identifiers' }),
        h(
          'form',
          { id: 'compare', class: 'find', autocomplete: 'off', onsubmit: (event) => this.#compare(event) },
          h('label', { for: 'other' }, 'Is somebody else the same person?'),
          h(
            'div',
            { class: 'with-button' },
            h('input', {
              id: 'other',
              required: true,
              spellcheck: 'false',
              autocapitalize: 'off',
              placeholder: 'e-mail, user id, type:value',
            }),
            h('button', { type: 'submit' }, 'Compare'),
          ),
        ),
        h('div', { id: 'explanation', role: 'region', 'aria-label': 'Explanation', tabindex: '-1' }),
      ),
      h('div', { id: 'facts' }),
      h(
        'section',
        { id: 'traits', class: 'part', 'aria-labelledby': 'traits-title' },
        h('h4', { id: 'traits-title' }, 'Traits'),
      ),
      part('timeline', 'Timeline', h('ol', { id: 'timeline', class: 'timeline' }), h('div', { id: 'timeline-end' })),
    );
    this.#showHead();
    this.#showIdentifiers();
  }

  #showHead() {
    const profile = this.#profile;
    const { profile_id, version, kind, audiences, flags, withheld } = profile;
    const keep = document.activeElement?.id === 'found-title';
    $('found-head').replaceChildren(
      h('h3', { id: 'found-title', tabindex: '-1' }, titleOf(profile)),
      h(
        'p',
        { class: 'facts' },
        `${kind === 'account' ? 'Account' : 'Person'} `,
        h('code', { title: profile_id }, profile_id),
        ` · version ${version}`,
      ),
      figuresOf(profile),
      flags.includes('quarantined')
        ? h('p', { class: 'problem' }, 'In quarantine: nothing is sent on for this profile.')
        : '',
      ...(audiences.length > 0
        ? [h('p', { class: 'facts' }, `Audiences: ${audiences.map(({ audience }) => audience).join(', ')}`)]
        : []),
      withheld > 0
        ? h(
            'p',
            { class: 'facts' },
            `${withheld === 1 ? '1 trait is' : `${withheld} traits are`} sensitive, and not for this token.`,
          )
        : '',
    );
    if (keep) $('found-title').focus();
  }

  #showIdentifiers() {
    const { identifiers } = this.#profile;
    const list = $('identifiers');
    const focus = list.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
    const [anchor] = identifiers.map(({ type, value }) => `${type}:${value}`);
    list.replaceChildren(
      ...identifiers.map(({ type, value }) => {
        const name = `${type}:${value}`;
        return h(
          'li',
          {},
          h('span', { class: 'type' }, typeWords(type)),
          h('span', { class: 'value' }, value),
          name !== anchor &&
            h(
              'button',
              { type: 'button', class: 'quiet', 'data-name': name, onclick: () => void this.#explain(anchor, [name]) },
              'Why?',
              h('span', { class: 'unseen' }, ` Why is ${nameWords(name)} this person?`),
            ),
        );
      }),
    );
    if (focus !== undefined) [...list.querySelectorAll('button')].find((one) => one.dataset.name === focus)?.focus();
  }

  #showTraits({ traits, origins }) {
    const names = Object.keys(traits);
    $('traits').replaceChildren(
      h('h4', { id: 'traits-title' }, 'Traits'),
      names.length === 0
        ? h('p', { class: 'facts' }, 'No event has told anything yet.')
        : h(
            'table',
            { 'aria-labelledby': 'traits-title' },
            h(
              'thead',
              {},
              h('tr', {}, ...['Trait', 'Value', 'Comes from'].map((name) => h('th', { scope: 'col' }, name))),
            ),
            h(
              'tbody',
              {},
              ...names.map((name) => {
                const { source, message_id, timestamp } = origins[name] ?? {};
                return h(
                  'tr',
                  {},
                  h('th', { scope: 'row' }, name),
                  h('td', { class: 'value' }, valueWords(traits[name])),
                  h(
                    'td',
                    { class: 'facts', title: message_id },
                    `${source ?? '–'} `,
                    timestamp ? dayTime(timestamp) : '',
                  ),
                );
              }),
            ),
          ),
    );
  }

  #showTimeline(isAway) {
    const list = $('timeline');
    const open = new Set([...list.querySelectorAll('details[open]')].map((one) => one.dataset.message));
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.message : undefined;
    list.replaceChildren(
      ...this.#events.map(({ message_id, type, event, source, timestamp, properties, anonymous_id, user_id }) => {
        const says = Object.entries({ ...properties });
        const head = [
          h('span', { class: 'event-name' }, eventWords({ type, event })),
          h('span', { class: 'facts' }, ` ${event ? `${type} · ` : ''}${source} · `, dayTime(timestamp)),
        ];
        return h(
          'li',
          {},
          h(
            'details',
            { 'data-message': message_id, open: open.has(message_id) },
            h('summary', { 'data-message': message_id }, ...head),
            pairs('', {
              ...Object.fromEntries(says),
              'sent as':
                [user_id && `user id ${user_id}`, anonymous_id && `browser or app ${anonymous_id}`]
                  .filter(Boolean)
                  .join(', ') || '–',
              'message id': message_id,
            }),
          ),
        );
      }),
    );
    if (focused !== undefined)
      [...list.querySelectorAll('summary')].find((one) => one.dataset.message === focused)?.focus();
    $('timeline-end').replaceChildren(
      isAway
        ? h(
            'p',
            { class: 'problem' },
            'The timeline is not to be had: ClickHouse, which keeps it, does not answer, or this token may not see events.',
          )
        : '',
      !isAway && this.#events.length === 0 ? h('p', { class: 'facts' }, 'The first events are on their way.') : '',
      this.#next === null
        ? ''
        : h(
            'button',
            { type: 'button', class: 'quiet', onclick: () => void this.#more().catch((error) => this.#failed(error)) },
            'Earlier events',
          ),
    );
  }

  #compare(event) {
    event.preventDefault();
    void this.#explain(`profile_id:${this.#profile.profile_id}`, referencesOf($('other').value));
  }

  async #explain(one, others) {
    if (others.length === 0) return;
    const mine = ++this.#explained;
    const target = $('explanation');
    target.replaceChildren(h('p', { class: 'facts' }, 'Looking at the claims…'));
    let content;
    try {
      content = explained(await this.#explanation(one, others));
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.#onUnauthorized(error);
      const isNobody = UNKNOWN.includes(error.code);
      content = [h('p', { class: 'problem' }, isNobody ? 'Nothing is known of that.' : `${error.message}.`)];
    }
    // Somebody may have asked for another meanwhile.
    if (mine !== this.#explained) return;
    target.replaceChildren(...content);
    target.focus();
    target.scrollIntoView({ block: 'nearest' });
  }

  /** ClickHouse, which has the claims, may be behind what is known of profiles: until it agrees, it is asked again. */
  async #explanation(one, others) {
    for (let tries = 1; ; tries++) {
      let mayCome = false;
      for (const other of others) {
        const answer = await ask(pathOf(one, `/explain?with=${encodeURIComponent(other)}`)).catch(isNot(...UNKNOWN));
        const isToldWhy = answer?.same && answer.chain !== null;
        if (answer && (isToldWhy || tries === MOST_TRIES)) return answer;
        // One person by what was decided, and no claim says so yet: claims come on a way of their own.
        const isBehind = answer?.same || (await this.#isShown(other));
        if (answer && !isBehind) return answer;
        mayCome ||= isBehind;
      }
      if (!mayCome || tries === MOST_TRIES) throw new Refused(404, 'identifier_not_found', 'nothing is known of that');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async #isShown(reference) {
    const found = await ask(pathOf(reference)).catch(isNot(...UNKNOWN));
    return found !== undefined && found.profile_id === this.#profile?.profile_id;
  }
}

/** Names and values. */
const pairs = (title, values) =>
  h(
    'dl',
    { class: 'pairs', 'aria-label': title || undefined },
    ...Object.entries(values).map(([name, value]) =>
      h('div', {}, h('dt', {}, name), h('dd', { class: 'value' }, valueWords(value))),
    ),
  );

function explained({ same, chain, refused = [], apart = [], complete = true }) {
  const verdict = same ? 'One person' : 'Two people';
  const said =
    chain === null
      ? [h('p', {}, same ? 'They are one and the same.' : 'No chain of links leads from one to the other.')]
      : chain.length === 0
        ? [h('p', {}, 'That is the same identifier.')]
        : [h('ol', { class: 'chain', 'aria-label': 'Chain of links' }, ...chain.map(link))];
  return [
    h('p', { class: same ? 'verdict is-one' : 'verdict is-two' }, verdict),
    ...said,
    ...refused.map(({ from, to, refused: why }) =>
      h('p', {}, `${nameWords(from)} and ${nameWords(to)} stay apart: ${why ? reasonWords(why) : 'nobody said why'}.`),
    ),
    ...apart.map(({ actor, reason, from, to }) =>
      h('p', {}, `${actor} keeps ${nameWords(from)} and ${nameWords(to)} apart${reason ? `: ${reason}` : ''}.`),
    ),
    complete ? '' : h('p', { class: 'facts' }, 'There is more around them than could be looked at.'),
  ];
}

const named = (name) => {
  const { type, value } = partsOf(name);
  return h(
    'span',
    { class: 'named' },
    h('span', { class: 'type' }, typeWords(type)),
    h('span', { class: 'value' }, value),
  );
};

const link = (step, index) => {
  const { from, to, accepted, refused, source, message_id, received_at, claims, rules } = step;
  const where = [message_id && `message ${message_id}`, source && `from ${source}`].filter(Boolean).join(' ');
  return h(
    'li',
    { class: accepted ? 'link' : 'link is-refused' },
    index === 0 && named(from),
    h(
      'p',
      { class: 'because' },
      accepted
        ? claimWords(step)
        : `${claimWords(step)}, but refused: ${refused ? reasonWords(refused) : 'nobody said why'}`,
      h(
        'span',
        { class: 'facts' },
        ' ',
        clockTime(received_at),
        where ? ` · ${where}` : '',
        claims > 1 ? ` · ${claims} say so` : '',
        rules ? ` · by the rules ${rules.replace('identity_rules/', '')}` : '',
      ),
    ),
    named(to),
  );
};
