import { eventStreamParser } from './event-stream.mjs';

const KEY = 'tributary-token';

/** The token of this tab: it is in no address, no cookie, and gone with the tab. */
export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** Takes the token out of `#token=…`, which no server is sent, and out of the address at once. */
export function tokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return;
  history.replaceState(null, '', location.pathname);
  if (given) token.set(given);
}

/** What the API refuses, with its code. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function request(path, signal) {
  const response = await fetch(path, {
    headers: { authorization: `Bearer ${token.get() ?? ''}` },
    cache: 'no-store',
    signal,
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Refused(response.status, error?.code ?? 'unknown', error?.message ?? `the API answers ${response.status}`);
}

/** @throws Refused; TypeError where nobody answers */
export const ask = async (path, signal) => (await request(path, signal)).json();

export const pathOf = (reference, part = '') => `/v1/profiles/${encodeURIComponent(reference)}${part}`;

/** Calls back with each event of the live stream until it ends. @throws as `ask` */
export async function listen(onEvent, signal) {
  const { body } = await request('/v1/live', signal);
  const parse = eventStreamParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const { event, data } of parse(value)) onEvent(event, JSON.parse(data));
  }
}
