import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { launchChromium } from '../support/chromium.ts';
import { type RunningPlatform, startPlatform } from '../support/platform.ts';
import { nameless, tabTo, tooFaint } from '../support/seen-by.ts';
import { Shell } from '../support/shell.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { environmentOf, tool } from '../support/tool-of.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '..', '..');
let platform: RunningPlatform;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the tool as an operator does. */
const tributary = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { env: environmentOf(platform) }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });

const json = async <T = Record<string, unknown>>(...args: string[]): Promise<T> =>
  JSON.parse((await tributary(...args, '--json')).out) as T;

async function send(path: string, body: unknown): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${platform.env.TRIBUTARY_COLLECTOR_PORT}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('local-server:')}` },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

interface Status {
  readonly units: readonly { readonly name: string; readonly ready: boolean }[];
  readonly books: Readonly<Record<'accepted' | 'stitched' | 'duplicates' | 'folded', number>> & {
    readonly differences: readonly string[];
  };
}

const directory = temporaryDirectory();
const tokensFile = join(directory, 'tokens.yaml');

beforeAll(async () => {
  writeFileSync(tokensFile, 'tokens: []');
  platform = await startPlatform({
    env: { TRIBUTARY_API_TOKENS_FILE: tokensFile },
    services: ['provision', 'collector', 'identity-stitcher', 'profile-projector', 'activation', 'console'],
  });
});
afterAll(() => platform?.stop());

describe('an operator', () => {
  test('sees what became of events, by every way there is', async () => {
    await send('track', { anonymousId: 'a-1', event: 'Viewed', messageId: 'm-1', properties: { price: 1.5 } });
    await send('track', { userId: 'u-1', event: 'Viewed', messageId: 'm-2' });
    await until('u-1 has a profile', async () => (await tributary('profile', 'user_id:u-1')).code === 0);
    const former = (await json('profile', 'user_id:u-1')).profile_id as string;
    await send('identify', {
      userId: 'u-1',
      anonymousId: 'a-1',
      messageId: 'm-3',
      traits: { email: 'Ann@Example.com' },
    });
    await send('identify', {
      userId: 'u-1',
      anonymousId: 'a-1',
      messageId: 'm-3',
      traits: { email: 'Ann@Example.com' },
    });
    await send('track', { userId: 'u-2', event: 'Viewed', messageId: 'm-4' });
    await send('track', { event: 'Nobody', messageId: 'm-5' }).catch(() => undefined);
    // One event of the person, and one of the group.
    await send('group', { userId: 'u-2', groupId: 'acme', messageId: 'm-6', traits: { plan: 'team' } });

    const status = async () => {
      const { units, books } = await json<Status>('status');
      return { books, notReady: units.filter(({ ready }) => !ready) };
    };
    await expect.poll(status).toMatchObject({
      books: { accepted: 7, stitched: 6, duplicates: 1, folded: 6, differences: [] },
      notReady: [],
    });

    // The read API follows the topics by itself, and ClickHouse reads each of them by itself: the books tell of neither.
    const references = ['email:ANN@example.com', 'user_id:u-1', 'anonymous_id:a-1', `profile_id:${former}`];
    const history = () =>
      api<{ versions: { version: number }[]; identity: { kind: string }[] }>('user_id:u-1', '/history');
    const known = async () => {
      const [profile, ...others] = await Promise.all(references.map((one) => json('profile', one)));
      const { versions, identity } = await history();
      return {
        profile,
        isSame: others.every((one) => isDeepStrictEqual(one, profile)),
        isNewest: versions[0]?.version === profile?.version,
        kinds: identity.map(({ kind }) => kind),
      };
    };
    await expect.poll(known).toMatchObject({
      profile: { events: 3, traits: { email: 'Ann@Example.com' } },
      isSame: true,
      isNewest: true,
      kinds: expect.arrayContaining(['moved']),
    });
    const account = { kind: 'account', events: 1, traits: { plan: 'team' } };
    await expect.poll(() => json('profile', 'group_id:acme')).toMatchObject(account);
    await expect.poll(() => json('profile', 'user_id:u-2')).toMatchObject({ kind: 'person', events: 2, traits: {} });
    const why = ['identity', 'user_id:u-1', 'email:ann@example.com'];
    await expect.poll(() => json(...why)).toMatchObject({ same: true, chain: [{ message_id: 'm-3' }] });
    await expect.poll(() => json('identity', 'user_id:u-1', 'user_id:u-2')).toMatchObject({ same: false });
    expect((await tributary('profile', 'user_id:nobody-knows')).err).toContain('no such profile');

    const events = (query = '') =>
      api<{ events: { message_id: string; properties: unknown }[] }>('user_id:u-1', `/events${query}`);
    const ids = async () => (await events()).events.map(({ message_id }) => message_id);
    await expect.poll(ids).toEqual(['m-3', 'm-2', 'm-1']);
    expect((await events()).events[2]?.properties).toEqual({ price: 1.5 });
    expect((await events('?limit=1')).events).toHaveLength(1);

    const { profile_id } = await json('profile', 'user_id:u-1');
    await expect.poll(() => json('event', 'm-3')).toMatchObject({ collected: [{}, {}], events: [{ profile_id }] });
    await expect.poll(() => json('rejected')).toMatchObject({ counts: [{ reason: 'no_identifier', count: 1 }] });
    const digest = await json('digest');
    expect(digest).toMatchObject({ profiles: 3 });
    expect(await json('digest')).toEqual(digest);
    await expect
      .poll(() => tributary('doctor'))
      .toMatchObject({
        code: 0,
        out:
          'all is well\n· 1 events were rejected, 1 in the last 24 hours\n  → `tributary rejected` tells why\n' +
          `· 3 profiles, digest ${digest.digest}: 3 compared with ClickHouse and with the event log\n`,
      });
  }, 600_000);

  test('changes definitions from a file, and is told of every mistake in it', async () => {
    const file = join(platform.dataDir, 'mine.yaml');
    writeFileSync(file, 'kind: purpose\nname: ads\nspec: { descripton: typing mistake }\n---\nkind: sauce\nname: x\n');
    const refused = await tributary('apply', file);
    expect(refused.code).toBe(1);
    expect(refused.err.split('\n').slice(0, 2)).toEqual([
      `${file}:3:9 spec.descripton: no such field`,
      expect.stringContaining(`${file}:5:7 kind: must be one of`),
    ]);
    writeFileSync(file, 'kind: purpose\nname: ads\nspec: { description: Advertising }\n');
    expect((await tributary('diff', file)).out).toBe('created    purpose/ads  version 1\n');
    expect((await tributary('apply', file, '--reason', 'asked for')).out).toBe('created    purpose/ads  version 1\n');
    expect((await tributary('apply', file)).out).toBe('unchanged  purpose/ads  version 1\n');
    expect(await json('definitions', 'purpose/ads')).toMatchObject({
      version: 1,
      reason: 'asked for',
      spec: { description: 'Advertising' },
    });

    const columns = async () => {
      const { clickhouseUrl, clickhousePassword } = platform;
      const response = await fetch(`${clickhouseUrl}/?database=tributary`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`default:${clickhousePassword}`)}` },
        body: "SELECT name, type FROM system.columns WHERE database = 'tributary' AND table = 'profile_traits' ORDER BY name",
      });
      return (await response.text()).trim().split('\n');
    };
    await until('there is a view of traits', async () => (await columns()).includes('profile_id\tUUID'));
    writeFileSync(file, 'kind: traits\nname: seats\nspec: { type: number }\n');
    await tributary('apply', file);
    await until('the trait is a column', async () => (await columns()).includes('seats\tNullable(Float64)'));
  });

  test('watches events pass, with what happens to each, until it has seen enough', async () => {
    const environment = { ...process.env, ...platform.env };
    const watching = (...args: string[]) => {
      const child = spawn(process.execPath, [join(root, 'bin', 'tributary.mjs'), 'tail', ...args], {
        env: environment,
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const seen = { out: '', err: '' };
      child.stdout.on('data', (chunk) => {
        seen.out += String(chunk);
      });
      child.stderr.on('data', (chunk) => {
        seen.err += String(chunk);
      });
      return { child, seen };
    };
    const all = watching();
    const bad = watching('--rejected', '--json', '--source', 'local-server');
    await until('it watches', async () => all.seen.err.includes('events from now on'));
    let n = 0;
    await until('a rejected event is seen', async () => {
      await send('track', { userId: 'tail-1', event: 'Watched', messageId: `tail-${n++}` });
      await send('track', { event: 'Watched', messageId: `tail-bad-${n}` });
      return bad.seen.out.includes('no_identifier');
    });
    for (const line of [
      /accepted {2}local-server {2}track Watched {2}tail-\d+\n/,
      /stitched {2}local-server {2}track Watched {2}tail-\d+ {2}profile /,
      /rejected {2}local-server {2}tail-bad-\d+ {2}by collector: no_identifier/,
    ])
      await until(`${line} is seen`, async () => line.test(all.seen.out));
    for (const { child } of [all, bad]) {
      child.kill('SIGINT');
      expect(await once(child, 'close')).toEqual([0, null]);
    }
    for (const line of bad.seen.out.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ what: 'rejected' });
  });

  test('is told when it asked wrongly, or for what is not there yet', async () => {
    for (const args of [
      [],
      ['nothing'],
      ['status', '--no-such-flag', 'x'],
      ['apply'],
      ['replay', 'nothing'],
      ['import'],
    ])
      expect((await tributary(...args)).code, args.join(' ')).toBe(2);
    expect(await tributary('--help')).toMatchObject({ code: 0, out: expect.stringContaining('tributary apply FILE') });
  });
});

describe('the read API', () => {
  const answered = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${platform.platform.apiToken}`, ...init.headers };
    const response = await fetch(apiUrl() + path, { ...init, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('says what docs/api.md shows', async () => {
    symlinkSync(platform.dataDir, join(directory, '.tributary'));
    const collectorUrl = `http://127.0.0.1:${platform.env.TRIBUTARY_COLLECTOR_PORT}`;
    const addresses = { 'http://127.0.0.1:8080': collectorUrl, 'http://127.0.0.1:8090': apiUrl() };
    const shell = new Shell({ ...process.env, ...platform.env }, addresses, directory);
    onTestFinished(() => shell.end());
    const page = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(sh|json)\n([\s\S]*?)^```/gm)].map(([, kind, text]) => ({
      kind,
      text: text ?? '',
    }));
    let tried = 0;
    for (const [i, { kind, text }] of blocks.entries()) {
      if (kind !== 'sh') continue;
      const shown = blocks[i + 1]?.kind === 'json' ? blocks[i + 1]?.text : undefined;
      let said = await shell.run(text);
      if (shown === undefined) continue;
      tried++;
      const wanted = JSON.parse(shown, (_, value) => (value === '…' ? expect.any(String) : value)) as object;
      const asking = text.split('\n').findLast((line) => /^ask|^curl/.test(line)) ?? '';
      const again = /^curl/.test(asking) ? text : asking;
      await until(
        `${asking} answers what is shown`,
        async () => {
          try {
            expect(JSON.parse(said.slice(said.indexOf('\n{') + 1))).toMatchObject(wanted);
            return true;
          } catch {
            said = await shell.run(again);
            return false;
          }
        },
        120_000,
        () => said,
      );
    }
    expect(tried).toBe(blocks.filter(({ kind }) => kind === 'json').length);
  }, 600_000);

  test('tells of a profile as it was what it told then', async () => {
    const shoes = { product_id: 'p-1', name: 'Shoes', price: 19.99, quantity: 2 };
    const context = {
      campaign: { name: 'spring', source: 'letter' },
      consent: { categoryPreferences: { ads: false } },
    };
    const conversation = { id: 'case-1', state: 'open', channel: 'phone', direction: 'inbound', agent: 'Ann' };
    await send('identify', { userId: 'then-1', traits: { address: { city: 'Graz' }, exact: 1.5 } });
    await send('identify', { userId: 'then-1', traits: { address: { street: 'Ring 1' } } });
    await send('group', { userId: 'then-1', groupId: 'then-acme', traits: { seats: 3 } });
    await send('track', { userId: 'then-1', anonymousId: 'then-a', event: 'Product Viewed', context });
    await send('track', { userId: 'then-1', event: 'Interaction', properties: conversation });
    const order = { order_id: 'o-1', revenue: 39.98, currency: 'EUR', products: [shoes] };
    await send('track', { userId: 'then-1', event: 'Order Completed', properties: order });

    const parts = ['', '/traits', '/computed', '/consents'];
    const tell = (query = '') =>
      Promise.all(parts.map(async (part) => (await answered(`/v1/profiles/user_id%3Athen-1${part}${query}`)).body));
    let live = await tell();
    await until('all of it is known', async () => {
      live = await tell();
      const [profile, , computed] = live;
      const isWhole = profile?.events === 6 && (profile.identifiers as unknown[]).length === 2;
      const { money_spent } = (computed?.computed ?? {}) as Record<string, unknown>;
      return isWhole && money_spent === 39.98 && new Set(live.map(({ version }) => version)).size === 1;
    });
    for (const name of ['first_touch', 'sessions', 'products', 'groups', 'interactions', 'consents', 'revenue'])
      expect(live[0]?.[name], name).toEqual(expect.anything());
    expect(live[0]).toMatchObject({
      order_count: 1,
      products: [{ quantity: '2', revenue: '39.98' }],
      first_touch: { utm_campaign: 'spring' },
      sessions: { count: 1 },
      groups: [{ group: 'then-acme', traits: { seats: 3 } }],
      interactions: [{ id: 'case-1', state: 'open', agent: 'Ann' }],
      consents: [{ purpose: 'ads', state: 'denied' }],
    });
    expect(live[1]?.part_origins).toHaveProperty('/address/city');
    const closed = { ...conversation, state: 'closed' };
    await send('track', { userId: 'then-1', event: 'Interaction', properties: closed });
    await send('track', { userId: 'then-1', event: 'Order Refunded', properties: { ...order, products: [shoes] } });
    await send('identify', { userId: 'then-1', traits: { address: null, exact: 2 } });
    await send('track', { userId: 'then-1', anonymousId: 'then-a', event: 'Product Viewed', context: {} });
    await until('it has changed', async () => (await tell())[0]?.events === 10);

    const at = `?at=${live[0]?.updated_at}`;
    let then = await tell(at);
    await until('ClickHouse has read it', async () => {
      then = await tell(at);
      return then.every(({ version }) => version === live[0]?.version);
    });
    // What is filling is told of now only.
    expect(then).toEqual(live.map(({ filling: _, ...told }) => told));
  });

  test('answers as its own document says, and nothing besides', async () => {
    const { body: document } = await answered('/v1/openapi.json');
    const { paths, components } = document as unknown as Document;
    const $defs = JSON.parse(
      JSON.stringify(components.schemas).replaceAll('#/components/schemas/', '#/$defs/'),
      closed,
    );
    const post = (body: object): RequestInit => ({ method: 'POST', body: JSON.stringify(body) });
    const bodies: Readonly<Record<string, object>> = {
      '/v1/profiles/batch': { profiles: ['user_id:u-1', 'user_id:api-1', 'nonsense'] },
      '/v3/graphql': {
        query: 'query {customer(fs_user_id : "u-1") {audiences(subset: ["a"]) {edges {node {name state}}}}}',
      },
    };
    const queries: Readonly<Record<string, string>> = {
      explain: '?with=email%3Aann%40example.com',
      'as-of': `?time=${new Date().toISOString()}`,
    };
    let tried = 0;
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { operationId, responses }] of Object.entries(methods)) {
        const target = path.replace('{profile}', 'user_id%3Au-1') + (queries[operationId] ?? '');
        const targets = responses[200].headers ? [target, `${target}/`, `${target}?x=1`] : [target, `${target}?x=1`];
        if (/^(profile|traits|computed|consents)$/.test(operationId))
          targets.push(`${target}?at=${new Date().toISOString()}`);
        if (responses[200].content['text/event-stream']) {
          const watching = new AbortController();
          const headers = { authorization: `Bearer ${platform.platform.apiToken}` };
          const stream = await fetch(apiUrl() + target, { headers, signal: watching.signal });
          expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
          watching.abort();
          targets.shift();
        }
        for (const asked of targets) {
          const { status, body } = await answered(asked, method === 'post' ? post(bodies[path] as object) : {});
          const described = (responses as unknown as Record<string, Responses[200]>)[status];
          const schema = described?.content['application/json']?.schema;
          const to = schema?.$ref.replace('#/components/schemas/', '#/$defs/') ?? '#/$defs/Problem';
          const read = z.fromJSONSchema({ $ref: to, $defs } as never).safeParse(body);
          expect(read.error?.issues ?? [], `${method} ${asked} ${status} ${JSON.stringify(body)}`).toEqual([]);
          if (status === 200) tried++;
        }
      }
    expect(tried).toBeGreaterThan(Object.keys(paths).length);
    const query = bodies['/v3/graphql'] as { query: string };
    const nobody = await answered('/v3/graphql', post({ query: query.query.replace('u-1', 'nobody-at-all') }));
    expect(nobody.body).toMatchObject({
      errors: [{ extensions: { classification: 'InvalidIdentifierException' } }],
      data: { customer: null },
    });
    const audiences = z.fromJSONSchema({ $ref: '#/$defs/Audiences', $defs } as never);
    expect(audiences.safeParse(nobody.body).error?.issues ?? []).toEqual([]);
    const closedTo = z.fromJSONSchema({ $ref: '#/$defs/Traits', $defs } as never);
    expect(closedTo.safeParse({ ...(await answered('/v1/profiles/user_id%3Au-1/traits')).body, x: 1 }).success).toBe(
      false,
    );
  });
});

interface Document {
  readonly paths: Record<string, Record<string, { readonly operationId: string; readonly responses: Responses }>>;
  readonly components: { readonly schemas: object };
}
interface Responses {
  readonly 200: {
    readonly headers?: object;
    readonly content: Readonly<Record<string, { schema: { $ref: string } } | undefined>>;
  };
}

/** Schemas of which nothing may be that they do not describe. */
const closed = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'properties' in value && !('openapi' in (value.properties as object))
    ? { ...value, additionalProperties: false }
    : value;

const apiUrl = (): string => `http://127.0.0.1:${platform.env.TRIBUTARY_API_PORT}`;

describe('the live page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** A page, what it asked for, and what it complained about. */
  async function open(hash = '') {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    const asked: string[] = [];
    const complaints: string[] = [];
    context.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${platform.env.TRIBUTARY_API_PORT}/${hash}`);
    return { page, asked, complaints };
  }
  const withToken = () => `#token=${platform.platform.apiToken}`;

  test('asks for the token, by keyboard alone, and takes it from no other', async () => {
    const { page } = await open();
    await page.getByLabel('API token').fill('not-the-token-of-this');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This token is not right.').waitFor();
    expect(await nameless(page)).toEqual([]);
    await page.getByLabel('API token').fill(platform.platform.apiToken);
    await page.keyboard.press('Enter');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API token').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test('shows by keyboard how two visitors become one, why, and who it is', async () => {
    const { page, asked, complaints } = await open(withToken());
    await page.getByText('Live', { exact: true }).waitFor();
    const press = async (role: string, name: string) => {
      await tabTo(page, role, name);
      await page.keyboard.press('Enter');
    };
    const row = (text: string) =>
      page.getByRole('list', { name: 'What happened' }).getByRole('listitem').filter({ hasText: text });
    for (const device of ['phone', 'laptop']) {
      await press('button', `Browse on the ${device}`);
      await row('Product Viewed').filter({ hasText: 'New profile' }).getByRole('button', { name: device }).waitFor();
    }
    await press('button', 'Log in on the phone');
    await row('Recognised').waitFor();
    await press('button', 'Log in on the laptop');
    const union = row('Two people became one');
    await union.getByText('were seen together').waitFor();
    await page.getByRole('status').getByText('Two people became one, Phone + Laptop').waitFor();
    await union.getByText('4 identifiers, 4 events').waitFor();

    await press('button', 'Why one person?');
    const explanation = page.getByRole('region', { name: 'Explanation' });
    await explanation.getByText('One person').waitFor();
    const links = explanation.getByRole('list', { name: 'Chain' }).getByText('seen together in one event');
    await expect.poll(() => links.count()).toBe(2);

    const account = await page.locator('#account').textContent();
    const conversation = { id: 'case-page', state: 'open', channel: 'e-mail', agent: 'Ann' };
    await send('track', { userId: account, event: 'Interaction', properties: conversation });
    await send('group', { userId: account, groupId: 'page-acme', traits: { role: 'buyer' } });
    const field = page.getByLabel('E-mail, user id, phone');
    await field.fill(`${account}@EXAMPLE.com`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `${account}@example.com` }).waitFor();
    await page.getByRole('row', { name: 'plan trial local-web' }).waitFor();
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await until('the timeline is whole', async () => (await timeline.getByRole('listitem').count()) >= 4);
    await press('button', `Why? Why is user id ${account} this person?`);
    await explanation.getByText('One person').waitFor();
    await page.getByLabel('Is somebody else the same person?').fill('nobody-there');
    await page.keyboard.press('Enter');
    await explanation.getByText('Nothing is known of that.').waitFor();

    // What somebody named cannot become markup, and who is shown is shown as they are now.
    await page.getByLabel('Event name').fill('<img src=x onerror=alert(1)>');
    await press('button', 'Send event');
    await row('<img src=x onerror=alert(1)>').waitFor();
    expect(await page.locator('#rows img').count()).toBe(0);
    await page.getByLabel('Event name').fill('Order Completed');
    await press('button', 'Send event');
    await page.getByText('€19.90', { exact: true }).waitFor();

    // Of what else is known only what there is.
    await page.getByRole('list', { name: 'In touch with them' }).getByText('E-mail, with Ann').waitFor();
    await page.getByRole('table', { name: 'Computed' }).getByRole('row', { name: 'Orders 1', exact: true }).waitFor();
    for (const title of ['What brought them here', 'Bought', 'Consents'])
      expect(await page.getByRole('heading', { name: title }).count(), title).toBe(0);
    await press('button', 'Look up the account page-acme');
    await page.getByRole('heading', { name: 'page-acme' }).waitFor();
    expect(await page.getByRole('heading', { name: 'In touch with them' }).count()).toBe(0);

    await page.getByText('The same from a terminal').click();
    const command = (await page.locator('#curl').textContent()) ?? '';
    const answered = await promisify(execFile)('sh', ['-c', `${command} -s`]);
    expect(answered.stdout).toBe('{"success":true}');
    await until('it has arrived', async () => (await row('Order Completed').count()) === 2);

    expect(await nameless(page)).toEqual([]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await tooFaint(page), colorScheme).toEqual([]);
    }
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    // The token is in no address, and nobody but the collector and the API is asked.
    expect(page.url()).toBe(`http://127.0.0.1:${platform.env.TRIBUTARY_API_PORT}/`);
    expect(asked.filter((url) => url.includes(platform.platform.apiToken) && !url.includes('#'))).toEqual([]);
    const { TRIBUTARY_API_PORT, TRIBUTARY_COLLECTOR_PORT } = platform.env;
    expect(new Set(asked.map((url) => new URL(url).host))).toEqual(
      new Set([`127.0.0.1:${TRIBUTARY_API_PORT}`, `127.0.0.1:${TRIBUTARY_COLLECTOR_PORT}`]),
    );
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
  }, 600_000);
});

async function api<T>(reference: string, part: string): Promise<T> {
  const response = await fetch(`${apiUrl()}/v1/profiles/${encodeURIComponent(reference)}${part}`, {
    headers: { authorization: `Bearer ${platform.platform.apiToken}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
