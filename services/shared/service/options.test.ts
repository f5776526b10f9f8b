import { expect, test } from 'vitest';
import { count, flag, helpText, list, port, readOptions, text } from './options.ts';

const options = {
  brokers: list('KAFKA_BROKERS', 'where Kafka is', 'a:1'),
  tls: flag('TLS', 'encrypt', 'false'),
  port: port('PORT', 'a port', '80'),
  most: count('MOST', 'a number', '5'),
  name: text('NAME', 'a name'),
};

test('flags win over the environment, the environment over defaults', () => {
  const read = readOptions(options, { TRIBUTARY_NAME: 'x', TRIBUTARY_PORT: '81', TRIBUTARY_MOST: '7' }, [
    '--port',
    '82',
    '--kafka-brokers=b:2, c:3',
  ]);
  expect(read).toEqual({ values: { brokers: ['b:2', 'c:3'], tls: false, port: 82, most: 7, name: 'x' } });
});

test('all mistakes are reported together', () => {
  const read = readOptions(options, { TRIBUTARY_TLS: 'maybe', TRIBUTARY_PORT: '99999' }, [
    '--nonsense',
    '1',
    '--most',
    '-3',
  ]);
  expect(read).toEqual({
    errors: [
      '--nonsense: no such flag',
      '1: no such flag',
      'TRIBUTARY_TLS must be true or false: "maybe"',
      'TRIBUTARY_PORT must be a whole number from 0 to 65535: "99999"',
      'TRIBUTARY_MOST must be a whole number from 0 to 9007199254740991: "-3"',
      'TRIBUTARY_NAME is not set',
    ],
  });
});

test('help names every setting, its flag and its default', () => {
  const help = helpText('thing', options);
  expect(help).toContain('TRIBUTARY_KAFKA_BROKERS  --kafka-brokers\n      where Kafka is (default a:1)');
  expect(help).toContain('TRIBUTARY_NAME  --name\n      a name (required)');
});
