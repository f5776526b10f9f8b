import { expect, it } from 'vitest';
import { foundation, readMigrations } from './migrate.ts';
import { migrationOf, type Surroundings, statementsOf, toApply } from './migrations.ts';

const around: Surroundings = {
  database: 'd',
  brokers: 'b:9092',
  registryUrl: 'http://r',
  prefix: 'p.',
  generation: 1,
  cluster: '',
};

it('makes what is not there yet, so that a statement can be repeated', () => {
  const text = `-- A comment; with a semicolon.
CREATE TABLE a {on_cluster} (x UInt8) ENGINE = Null;
CREATE MATERIALIZED VIEW b TO a AS SELECT 1;
CREATE VIEW IF NOT EXISTS c AS SELECT 'CREATE TABLE';
`;
  expect(statementsOf(text)).toEqual([
    'CREATE TABLE IF NOT EXISTS a {on_cluster} (x UInt8) ENGINE = Null',
    'CREATE MATERIALIZED VIEW IF NOT EXISTS b TO a AS SELECT 1',
    "CREATE VIEW IF NOT EXISTS c AS SELECT 'CREATE TABLE'",
  ]);
});

it('makes everything on every server of a cluster, and nothing twice', () => {
  const clustered = { ...around, cluster: 'mine' };
  const all = [...foundation(clustered), ...readMigrations(clustered).flatMap(({ statements }) => statements)];
  expect(all.length).toBeGreaterThan(50);
  for (const statement of all) {
    expect(statement).toMatch(
      /^(CREATE [A-Z ]+ IF NOT EXISTS|CREATE OR REPLACE (VIEW|TABLE)|DROP (TABLE|VIEW) IF EXISTS|ALTER TABLE) d\S* ON CLUSTER 'mine'\s/,
    );
    if (statement.includes(' ADD ')) expect(statement).toMatch(/ ADD [A-Z]+ IF NOT EXISTS /);
  }
});

it('goes by the text of a file, not by what it is made into', () => {
  const [here, there] = [around, { ...around, cluster: 'mine', brokers: 'c:1' }].map((surroundings) =>
    migrationOf('0001_a.sql', 'CREATE TABLE a {on_cluster} (x UInt8) ENGINE = {replacing};', surroundings),
  );
  expect(here?.checksum).toBe(there?.checksum);
  expect(here?.checksum).toBe('3b06ea0923383f51');
});

it('refuses a file that was changed after it was applied, or is gone', () => {
  const migration = migrationOf('0001_a.sql', 'CREATE TABLE a;', around);
  expect(toApply([migration], new Map([['0001_a.sql', migration.checksum]]))).toEqual([]);
  expect(() => toApply([migration], new Map([['0001_a.sql', 'other']]))).toThrow('was applied and then changed');
  expect(() => toApply([], new Map([['0001_a.sql', 'other']]))).toThrow('its file is gone');
});
