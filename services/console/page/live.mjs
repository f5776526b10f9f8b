import { $, announce } from './elements.mjs';
import { rowElement, spoken } from './rows.mjs';
import { Story } from './story.mjs';
import { shortId } from './words.mjs';

/** The list of what happens: keeps the focus where it is, and stands still when it is told to. */
export class LiveList {
  #story = new Story();
  #names = new Map();
  /** Names that profiles had before they became part of another. */
  #former = new Map();
  #followed = new Map();
  #senders = new Map();
  #spoken = new Set();
  #elements = new Map();
  #isPaused = false;
  #held = 0;
  #missed = 0;
  #look;

  constructor(look) {
    this.#look = look;
    $('pause').addEventListener('click', () => this.#pause(!this.#isPaused));
  }

  /** From this message on the page knows what to call its profile. */
  sent(messageId, name) {
    if (name !== undefined) this.#senders.set(messageId, name);
  }

  take(passing) {
    const row = this.#story.take(passing, Math.round(performance.now()));
    if (!row) return;
    this.#name(row);
    const text = spoken(row, this.#nameOf);
    if (text && !this.#spoken.has(row.key)) {
      this.#spoken.add(row.key);
      announce(text);
    }
    if (this.#isPaused) {
      this.#held++;
      this.#showHeld();
    } else this.#show(row);
  }

  missed(count) {
    this.#missed += count;
    $('missed').hidden = false;
    $('missed').textContent =
      `${this.#missed.toLocaleString()} more than can be looked at were left out here. None of them is lost.`;
  }

  #nameOf = (id) => {
    const now = this.#followed.get(id) ?? id;
    return this.#names.get(now) ?? `Profile ${shortId(now)}`;
  };

  #name(row) {
    if (row.kind === 'event' && row.profile_id !== undefined) {
      const name = this.#senders.get(row.message_id);
      const isTaken = [...this.#names.values()].some((one) => one.split(' + ').includes(name));
      if (name !== undefined && !isTaken && !this.#names.has(row.profile_id)) this.#names.set(row.profile_id, name);
    }
    if (row.kind !== 'joined') return;
    for (const id of row.gone) {
      if (id !== row.former) this.#follow(id, row.into);
      else if (this.#names.has(id)) {
        const name = this.#names.get(id);
        this.#former.set(id, name);
        this.#names.delete(id);
        this.#names.set(row.into, [this.#names.get(row.into), name].filter(Boolean).join(' + '));
      }
    }
  }

  /** What was a profile of its own for a moment only is called what it became. */
  #follow(id, into) {
    if (this.#followed.has(id)) return;
    this.#followed.set(id, into);
    for (const row of this.#story.rows) if (row.profile_id === id && this.#elements.has(row.key)) this.#show(row);
  }

  #show(row) {
    const list = $('rows');
    $('nothing-yet').hidden = true;
    const element = rowElement(row, {
      nameOf: this.#nameOf,
      formerNameOf: (id) => this.#former.get(id) ?? this.#nameOf(id),
      look: this.#look,
    });
    const shown = this.#elements.get(row.key);
    if (shown) {
      const focus = shown.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
      shown.replaceWith(element);
      if (focus !== undefined)
        [...element.querySelectorAll('[data-focus]')].find((one) => one.dataset.focus === focus)?.focus();
    } else {
      element.classList.add('is-new');
      list.prepend(element);
    }
    this.#elements.set(row.key, element);
    this.#forget();
  }

  #forget() {
    if (this.#elements.size <= this.#story.rows.length) return;
    const kept = new Set(this.#story.rows.map(({ key }) => key));
    for (const [key, element] of this.#elements) {
      if (kept.has(key)) continue;
      element.remove();
      this.#elements.delete(key);
      this.#spoken.delete(key);
    }
  }

  #pause(isPaused) {
    this.#isPaused = isPaused;
    this.#held = 0;
    this.#showHeld();
    if (!isPaused) for (const row of [...this.#story.rows].reverse()) this.#show(row);
  }

  #showHeld() {
    $('pause').textContent = this.#isPaused ? (this.#held > 0 ? `Go on (${this.#held} new)` : 'Go on') : 'Pause';
  }
}
