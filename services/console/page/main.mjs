import { ask, listen, pathOf, Refused, token, tokenFromAddress } from './api.mjs';
import { $ } from './elements.mjs';
import { LiveList } from './live.mjs';
import { PersonPanel } from './person.mjs';
import { sendFrom } from './send.mjs';

const RETRY_MS = [500, 1_000, 2_000, 5_000];

tokenFromAddress();
const person = new PersonPanel((error) => signOut(error));
const live = new LiveList((reference, other) => void person.look(reference, other));
let listening;
let canSend = false;

addEventListener('hashchange', () => {
  tokenFromAddress();
  show();
});
$('sign-out').addEventListener('click', () => {
  token.forget();
  // Nothing of what was shown stays.
  location.reload();
});
$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token.set($('token').value.trim());
  void signIn();
});
show();

async function signIn() {
  try {
    // Asks for nobody: a right token is told that there is no such profile.
    await ask(pathOf('profile_id:00000000-0000-0000-0000-000000000000'));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return signOut(error);
  }
  $('token').value = '';
  show();
  $('reference').focus();
}

function signOut(error) {
  token.forget();
  listening?.abort();
  listening = undefined;
  person.clear();
  $('token-error').textContent = error ? 'This token is not right.' : '';
  show();
  $('token').focus();
}

function show() {
  const isIn = token.get() !== null;
  $('sign-in').hidden = isIn;
  $('app').hidden = !isIn;
  $('sign-out').hidden = !isIn;
  $('connection').hidden = !isIn;
  if (isIn && !listening) void follow();
}

function showConnection(state) {
  const text = {
    live: 'Live',
    joining: 'Connecting…',
    lost: 'Not connected. Trying again…',
    refused: 'This token may not watch',
  }[state];
  const connection = $('connection');
  connection.className = `connection is-${state}`;
  if (connection.textContent !== text) connection.textContent = text;
}

async function follow() {
  const mine = new AbortController();
  listening = mine;
  let failures = 0;
  while (!mine.signal.aborted) {
    showConnection(failures === 0 ? 'joining' : 'lost');
    try {
      await listen((event, data) => {
        failures = 0;
        heard(event, data);
      }, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof Refused && error.status === 401) return signOut(error);
      if (error instanceof Refused && error.status === 403) return showConnection('refused');
    }
    if (mine.signal.aborted) return;
    showConnection('lost');
    const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function heard(event, data) {
  if (event === 'hello' && data.collector && !canSend) {
    canSend = true;
    sendFrom(data.collector, (messageId, name) => live.sent(messageId, name));
  } else if (event === 'state') showConnection(data.watching ? 'live' : 'joining');
  else if (event === 'missed') live.missed(data.count);
  else if (event === 'passing') {
    live.take(data);
    if (data.what === 'profile') person.changed(data);
  }
}
