import { describe, expect, it } from 'vitest';
import { withHiddenSecrets } from './hidden-secrets.ts';
import { definitionKinds } from './kinds.ts';
import { mistakesAmong } from './mistakes-among.ts';
import { validateDefinitions, type Wanted } from './validate.ts';

const SECRET = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const yaml = (spec: object, name = 'crm'): string => JSON.stringify({ kind: 'profile_webhook', name, spec });
const faults = (spec: object, name?: string): readonly string[] => {
  const result = validateDefinitions(yaml({ url: 'https://example.com/', secrets: [SECRET], ...spec }, name), 'f');
  return 'errors' in result ? result.errors : [];
};

describe('a profile webhook', () => {
  it('needs no more than a url and a secret', () => {
    expect(faults({})).toEqual([]);
  });

  it.each<[object, string]>([
    [{ url: 'ftp://example.com' }, 'must begin with https://'],
    [{ url: 'example.com' }, 'not a URL'],
    [{ url: 'https://me:pw@example.com/' }, 'requests are signed'],
    [{ secrets: [] }, 'spec.secrets'],
    [{ secrets: ['whsec_c2hvcnQ='] }, '24 to 64 bytes'],
    [{ filter: { changed: ['Traits!'] } }, 'not a field of a profile'],
    [{ filter: { changes: ['traits'] } }, 'spec.filter.changes: no such field'],
  ])('says what is wrong with %j', (spec, wrong) => {
    const [fault = ''] = faults(spec);
    expect(fault).toContain(wrong);
  });

  it('does not repeat a secret in what it says is wrong', () => {
    expect(faults({ secrets: ['my-very-own-secret'] }).join()).not.toContain('my-very-own-secret');
  });

  it('has no dots in its name, and not the name of a destination: they would share their dead letters', () => {
    expect(faults({}, 'a.b').join()).toContain('of a profile_webhook must not have dots');
    const body = definitionKinds.profile_webhook.parse({ url: 'https://example.com/', secrets: [SECRET] });
    const webhook: Wanted = { kind: 'profile_webhook', name: 'crm', body };
    const destination = {
      kind: 'destination',
      name: 'crm',
      version: 1,
      body: definitionKinds.destination.parse({ type: 'webhook', action: 'send', subscribe: 'type = "track"' }),
    } as const;
    expect(mistakesAmong([webhook], [destination])).toMatchObject([{ wrong: 'is already the name of a destination' }]);
    expect(mistakesAmong([webhook, { kind: 'destination', name: 'crm', body: undefined }], [destination])).toEqual([]);
    expect(mistakesAmong([webhook, { ...webhook, name: 'other' }])).toEqual([]);
  });

  it('is shown without its secrets, by which one can still see that one was changed', () => {
    const body = definitionKinds.profile_webhook.parse({ url: 'https://example.com/', secrets: [SECRET] });
    const other = { ...body, secrets: [`whsec_${Buffer.alloc(24, 2).toString('base64')}`] };
    const [shown, changed] = [body, other].map((one) => JSON.stringify(withHiddenSecrets('profile_webhook', one)));
    expect(shown).toContain('"secrets":["[secret ');
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toBe(changed);
    // What is shown cannot be put in force by mistake.
    expect(faults(JSON.parse(shown as string)).join()).toContain('24 to 64 bytes');
  });
});
