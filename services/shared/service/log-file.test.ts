import { expect, it } from 'vitest';
import { complaintIn } from './log-file.ts';

it.each([
  [
    'the last error among JSON lines',
    '{"level":30,"msg":"hi"}\n{"level":60,"msg":"cannot go on","err":{"message":"no broker"}}\n{"level":30,"msg":"bye"}\n',
    'cannot go on: no broker',
  ],
  [
    'a thrown error above its stack',
    'starting\nError: Cannot find module x\n    at a (b.ts:1:2)\n\nNode.js v24\n',
    'Error: Cannot find module x',
  ],
  [
    'a Java log',
    '2026-11-24 [main] ERROR kafka.Kafka - port in use\n\tat a.b.C\n',
    '2026-11-24 [main] ERROR kafka.Kafka - port in use',
  ],
  ['the last line when none is an error', 'a\nb\n\n', 'b'],
  ['nothing', '', ''],
])('%s', (_what, log, complaint) => {
  expect(complaintIn(log)).toBe(complaint);
});
