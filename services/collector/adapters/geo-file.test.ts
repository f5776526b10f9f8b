import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { expect, test } from 'vitest';
import { geoData } from '../../../test/support/geo-data.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { until } from '../../../test/support/until.ts';
import { GeoFile } from './geo-file.ts';

const berlin = {
  country: { iso_code: 'DE', names: { en: 'Germany' } },
  subdivisions: [{ names: { en: 'Land Berlin' } }],
  city: { names: { en: 'Berlin' } },
  location: { time_zone: 'Europe/Berlin' },
};
const inBerlin = {
  country: 'Germany',
  countryCode: 'DE',
  region: 'Land Berlin',
  city: 'Berlin',
  timezone: 'Europe/Berlin',
};
const log = pino({ level: 'silent' });

test('tells where addresses are, and follows the file when it is replaced', async () => {
  const path = join(temporaryDirectory(), 'city.mmdb');
  await writeFile(path, geoData({ '203.0.113.0/24': berlin, '2001:db8::/32': { country: { iso_code: 'FR' } } }));
  const file = new GeoFile(path, log, 20);
  expect([file.ready, file.locationOf('203.0.113.9')]).toEqual([false, undefined]);
  const running = file.run();
  await until('the file is read', () => file.ready);
  expect(file.locationOf('203.0.113.9')).toEqual(inBerlin);
  expect(file.locationOf('::ffff:203.0.113.9')).toEqual(inBerlin);
  expect(file.locationOf('2001:db8::1')).toEqual({ countryCode: 'FR' });
  expect(['198.51.100.7', 'here', ''].map((address) => file.locationOf(address))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  await writeFile(path, 'half of a file');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(file.locationOf('203.0.113.9')).toEqual(inBerlin);
  await writeFile(path, geoData({ '203.0.113.0/24': { city: { names: { en: 'Potsdam' } } } }));
  await until('the new file is in force', () => file.locationOf('203.0.113.9')?.city === 'Potsdam');
  await file.stop();
  await running;
});

test('a file that is not there, or is none, is fatal at the start', async () => {
  const directory = temporaryDirectory();
  await expect(new GeoFile(join(directory, 'none.mmdb'), log).run()).rejects.toThrow('none.mmdb');
  await writeFile(join(directory, 'text.mmdb'), 'text');
  await expect(new GeoFile(join(directory, 'text.mmdb'), log).run()).rejects.toThrow();
});
