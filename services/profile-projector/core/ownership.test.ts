import { describe, expect, it } from 'vitest';
import { arrive, depart } from './ownership.ts';

const at = (profile_id: string, version: number) => ({ profile_id, version });

describe('something arrives', () => {
  const table = [
    { case: 'nothing known: folded', known: undefined, address: at('P', 0), after: at('P', 0), passTo: undefined },
    {
      case: 'newer than known: folded, the newer is known',
      known: at('Q', 3),
      address: at('P', 5),
      after: at('P', 5),
      passTo: undefined,
    },
    { case: 'as known: folded', known: at('P', 5), address: at('P', 5), after: at('P', 5), passTo: undefined },
    {
      case: 'stale, to a former owner: passed on',
      known: at('Q', 5),
      address: at('P', 3),
      after: at('Q', 5),
      passTo: at('Q', 5),
    },
    {
      case: 'stale, to whom owns it again: folded',
      known: at('P', 8),
      address: at('P', 3),
      after: at('P', 8),
      passTo: undefined,
    },
  ];
  for (const row of table) {
    it(row.case, () => expect(arrive(row.known, row.address)).toEqual({ known: row.after, passTo: row.passTo }));
  }
});

describe('something departs', () => {
  const table = [
    { case: 'nothing known: sent', known: undefined, to: at('Q', 5), after: at('Q', 5), sendTo: at('Q', 5) },
    { case: 'newer than known: sent', known: at('P', 3), to: at('Q', 5), after: at('Q', 5), sendTo: at('Q', 5) },
    {
      case: 'stale, gone further: sent to the newest place',
      known: at('R', 8),
      to: at('Q', 5),
      after: at('R', 8),
      sendTo: at('R', 8),
    },
    { case: 'stale, come back: stays', known: at('P', 8), to: at('Q', 5), after: at('P', 8), sendTo: undefined },
    { case: 'already known: sent', known: at('Q', 5), to: at('Q', 5), after: at('Q', 5), sendTo: at('Q', 5) },
  ];
  for (const row of table) {
    it(row.case, () => expect(depart(row.known, 'P', row.to)).toEqual({ known: row.after, sendTo: row.sendTo }));
  }
});
