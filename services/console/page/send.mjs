import { $, announce, h } from './elements.mjs';
import { curlOf } from './words.mjs';

const hex = (bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Two devices of somebody whom nobody knows yet, and who has an account that is used nowhere else. */
function newVisitors() {
  const account = `demo-${hex(3)}`;
  return {
    account,
    email: `${account}@example.com`,
    devices: ['Phone', 'Laptop'].map((name) => ({
      name,
      anonymousId: `${name.toLowerCase()}-${hex(8)}`,
      isKnown: false,
    })),
  };
}

const products = ['Tent', 'Lantern', 'Backpack', 'Trail map'];

/**
 * The part of the page that sends events, from this browser to the collector, as a website does.
 * @param onSent is called with the id of each message, and whose it is: a device's name, or undefined
 */
export function sendFrom(sending, onSent) {
  let visitors = newVisitors();
  let viewed = 0;

  async function send(call, event, whose) {
    const messageId = `page-${hex(12)}`;
    onSent(messageId, whose);
    $('send-problem').textContent = '';
    try {
      const response = await fetch(`${sending.collectorUrl}/v1/${call}`, {
        method: 'POST',
        credentials: 'omit',
        headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${sending.writeKey}:`)}` },
        body: JSON.stringify({ ...event, messageId, originalTimestamp: new Date().toISOString() }),
      });
      if (!response.ok)
        throw new Error(`the collector answers ${response.status}: ${(await response.text()).slice(0, 200)}`);
      return true;
    } catch (error) {
      const reason =
        error instanceof TypeError ? `the collector at ${sending.collectorUrl} cannot be reached` : error.message;
      $('send-problem').textContent = `Not sent: ${reason}.`;
      return false;
    }
  }

  async function look(device) {
    const product = products[viewed++ % products.length];
    if (
      await send(
        'track',
        { anonymousId: device.anonymousId, event: 'Product Viewed', properties: { product } },
        device.name,
      )
    )
      announce(`Sent: ${device.name} viewed a product`);
  }

  async function logIn(device) {
    const { account, email } = visitors;
    const event = { anonymousId: device.anonymousId, userId: account, traits: { email, plan: 'trial' } };
    if (!(await send('identify', event, device.name))) return;
    device.isKnown = true;
    $(`known-${device.name}`).textContent = `logged in as ${account}`;
    announce(`Sent: ${device.name} logged in`);
  }

  function senders() {
    const { account, devices } = visitors;
    return new Map([
      ...devices.map((device) => [device.name, { anonymousId: device.anonymousId }]),
      [account, { userId: account }],
    ]);
  }

  function ownEvent() {
    const amount = $('own-amount').value;
    const properties = amount === '' ? {} : { revenue: Number(amount), currency: 'EUR' };
    return { ...senders().get($('own-who').value), event: $('own-name').value.trim(), properties };
  }

  const showCurl = () => {
    $('curl').textContent = curlOf(sending, 'track', ownEvent());
  };

  function showVisitors() {
    $('account').textContent = visitors.account;
    $('visitors').replaceChildren(
      ...visitors.devices.map((device) =>
        h(
          'div',
          { class: 'visitor', role: 'group', 'aria-labelledby': `name-${device.name}` },
          h('h3', { id: `name-${device.name}` }, device.name),
          h('p', { class: 'facts', id: `known-${device.name}` }, 'anonymous'),
          h(
            'button',
            { type: 'button', onclick: () => void look(device) },
            'Browse',
            h('span', { class: 'unseen' }, ` on the ${device.name.toLowerCase()}`),
          ),
          h(
            'button',
            { type: 'button', onclick: () => void logIn(device) },
            'Log in',
            h('span', { class: 'unseen' }, ` on the ${device.name.toLowerCase()}`),
          ),
        ),
      ),
    );
    $('own-who').replaceChildren(
      ...[...senders().keys()].map((name) =>
        h('option', { value: name }, name === visitors.account ? `${name} (the account)` : `${name} (anonymous)`),
      ),
    );
    showCurl();
  }

  $('own').addEventListener('input', showCurl);
  $('own').addEventListener('submit', (event) => {
    event.preventDefault();
    const own = ownEvent();
    if (own.event === '') return;
    const who = $('own-who').value;
    void send('track', own, who === visitors.account ? undefined : who).then((isSent) => {
      if (isSent) announce(`Sent: ${own.event}`);
    });
  });
  $('copy-curl').addEventListener('click', () => {
    navigator.clipboard.writeText($('curl').textContent).then(
      () => announce('Copied'),
      () => announce('The browser does not let it be copied'),
    );
  });
  $('start-over').addEventListener('click', () => {
    visitors = newVisitors();
    showVisitors();
    announce(`Two new visitors; they will log in as ${visitors.account}`);
  });
  showVisitors();
  $('send').hidden = false;
}
