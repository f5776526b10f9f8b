import { expect, test } from 'vitest';
import { right } from './findings.fixture.ts';
import { reportOf } from './report.ts';

const options = {
  findings: right,
  problems: [],
  story: ['One person', '  came'],
  identifiers: 5,
  addresses: [['collector', 'http://127.0.0.1:8080']],
  queries: ['SELECT 1'],
  ask: 'curl …',
  times: [['cold start', 12_340]],
} as const;

test('the report holds the books twice, aligned', () => {
  expect(reportOf(options).join('\n')).toMatchInlineSnapshot(`
    "
    What became of the sample
      events      10 sent, 10 acknowledged, of which 1 sent twice and 1 bad on purpose
      profiles    3 of 5 identifiers
      identity    2 identifiers moved to another profile, 1 links refused; 2 tributaries moved
      deliveries  1 asked for: 1 delivered; the receiver saw 1, 1 of them again
      revenue     11.77 USD in profiles = 11.77 in the file
                  2.05 EUR in profiles = 2.05 of the click stream
      rejected    1 collector: no_identifier

    Books                    where it happens  in ClickHouse
      rejected at the door                  1              1
      accepted                              9              9
        stitched                            8              8
        duplicates                          1              1
        rejected further on                 0              0
        dropped by rule                     0              0
      folded into profiles                  8              8
      profiles                              3              3
      deliveries                            1              1
      balanced: accepted = stitched + duplicates + rejected + dropped by rule

    One person
      came

    Three queries to try
      SELECT 1
      like this: curl …

    Where
      collector  http://127.0.0.1:8080

    Times: cold start 12.3 s
    "
  `);
});

test('what is wrong is said, and nothing is called balanced then', () => {
  const text = reportOf({ ...options, problems: ['collected: 9, taken by the resolver: 8'] }).join('\n');
  expect(text).toContain('NOT as it must be:\n  collected: 9, taken by the resolver: 8');
  expect(text).not.toContain('balanced');
});
