/**
 * An element with attributes and children. Text is only ever put in as text: what people and senders wrote cannot become markup.
 * @param attributes functions listen (`onclick`), `undefined`, `null` and `false` leave out, `true` has no value
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

/** Tells whoever does not see the page, once. */
export function announce(text) {
  const announcer = $('announcer');
  // The same text twice in a row would not be told again.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export const clockTime = (iso) => h('time', { datetime: iso, title: iso }, clock.format(new Date(iso)));
export const dayTime = (iso) => h('time', { datetime: iso, title: iso }, day.format(new Date(iso)));
