import { describe, expect, test } from 'vitest';
import { aProfile } from './a-profile.fixture.ts';
import { profileShape, type Rights, type Told } from './profile-shape.ts';

const told = (profile: Told, rights: Partial<Rights> = {}) =>
  profileShape(profile, { sensitive: false, sensitiveTraits: new Map(), ...rights });
const written = (value: unknown): string => JSON.stringify(value);

const touch = {
  timestamp: 1_000,
  message_id: 'm1',
  source: 'web',
  referrer: 'https://example.com/',
  utm_source: 'letter',
  utm_medium: null,
  utm_campaign: null,
  utm_term: null,
  utm_content: null,
  utm_id: null,
};

describe('a profile as it is told', () => {
  test('has orders, touches, sessions, groups and interactions, with times as text and amounts to the digit', () => {
    const shape = told(
      aProfile('p', 1, {
        order_count: 2,
        products: [{ product: 'a', currency: 'EUR', name: 'A', quantity: '3', revenue: '0.300001' }],
        first_touch: touch,
        session_count: 4,
        session_ms: 90_000,
        first_session_at: 0,
        last_session_at: 2_000,
        last_session_until: 3_000,
        last_session_events: 7,
        groups: [{ group: 'acme', traits: '{"seats":1.50}', timestamp: 5_000, source: 'crm' }],
        interactions: [
          { id: 'c', state: 'open', channel: 'phone', direction: null, agent: null, timestamp: 6_000, source: 'crm' },
        ],
      }),
    );
    expect(shape).toMatchObject({
      order_count: 2,
      products: [{ product: 'a', currency: 'EUR', name: 'A', quantity: '3', revenue: '0.300001' }],
      first_touch: { ...touch, timestamp: '1970-01-01T00:00:01.000Z' },
      last_touch: null,
      sessions: {
        count: 4,
        total_ms: 90_000,
        first_at: '1970-01-01T00:00:00.000Z',
        last_at: '1970-01-01T00:00:02.000Z',
        last_until: '1970-01-01T00:00:03.000Z',
        last_events: 7,
      },
      interactions: [{ id: 'c', state: 'open', timestamp: '1970-01-01T00:00:06.000Z' }],
    });
    expect(written(shape.groups)).toBe(
      '[{"group":"acme","source":"crm","traits":{"seats":1.50},"timestamp":"1970-01-01T00:00:05.000Z"}]',
    );
  });
});

describe('what is sensitive', () => {
  const trait = (name: string, sensitivity: string) => ({
    name,
    value: `"${name}"`,
    sensitivity,
    timestamp: 0,
    message_id: 'm',
    source: 's',
  });
  const computed = (name: string) => ({ name, value: 'true', definition_version: 1 });
  const profile = aProfile('p', 1, {
    traits: [
      trait('diagnosis', 'sensitive'),
      trait('email', 'personal'),
      trait('plan', 'none'),
      trait('weight', 'none'),
    ],
    computed: [computed('gone'), computed('ill'), computed('loyal')],
    groups: [{ group: 'g', traits: '{"weight":7,"size":1.0}', timestamp: 0, source: 's' }],
  });
  const sensitiveTraits = new Map([
    ['ill', true],
    ['loyal', false],
    // Since this profile was written.
    ['weight', true],
  ]);

  test('is counted and not told: of traits by what they carry, else by the definitions in force', () => {
    const shape = told(profile, { sensitiveTraits });
    expect(shape).toMatchObject({ traits: { email: 'email', plan: 'plan' }, computed: { loyal: true }, withheld: 5 });
    expect(Object.keys(shape.traits)).toEqual(['email', 'plan']);
    expect(Object.keys(shape.computed)).toEqual(['loyal']);
    expect(written(shape.groups)).toContain('"traits":{"size":1.0}');
  });

  test('is told to whoever may know', () => {
    const shape = told(profile, { sensitive: true, sensitiveTraits });
    expect(shape).not.toHaveProperty('withheld');
    expect(Object.keys(shape.traits)).toEqual(['diagnosis', 'email', 'plan', 'weight']);
    expect(Object.keys(shape.computed)).toEqual(['gone', 'ill', 'loyal']);
    expect(written(shape.groups)).toContain('"traits":{"weight":7,"size":1.0}');
  });
});
