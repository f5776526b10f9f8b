import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { open } from 'lmdb';
import { expect, test } from 'vitest';
import { Codec, typeOf } from '#shared/kafka/codec.ts';
import { type Change, DiskState } from './disk-state.ts';
import { MemoryState, someMoment } from './memory.ts';
import type { Stores } from './task.ts';
import { type State, Workspace } from './workspace.ts';

/** Values are profile ids; each pair of digits in one of `growing` is a member. */
const stores: Stores = {
  growing: {
    record: 'Resolution',
    members: (value) => (value as unknown as { profile_id: string }).profile_id.match(/../g) ?? [],
  },
  plain: { record: 'Resolution' },
};
const codec = new Codec('Resolution', 1, typeOf('Resolution'), undefined as never) as unknown as Codec;
const codecs = new Map(Object.keys(stores).map((store) => [store, codec]));

const members = ['0a', '0b', '0c', 'ff', '00'];
const keys = ['k1', 'k2', 'k3', 'k4'];
const profile = fc
  .uniqueArray(fc.constantFrom(...members), { maxLength: 3 })
  .map((list) => ({ profile_id: list.join(''), version: list.length, generation: 1 }));
const key = fc.constantFrom(...keys);
const change = fc.oneof(
  fc.record({ store: fc.constant('growing'), key, value: profile }),
  fc.record({ store: fc.constant('plain'), key, value: fc.option(profile) }),
);
/** With what is done before the next: nothing, waiting until the disk has it, throwing all away. */
const batches = fc.array(
  fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 6 }),
    after: fc.constantFrom('nothing', 'nothing', 'written', 'written', 'cleared'),
  }),
  { maxLength: 8 },
);

const position = { offset: 0, at: 0, cluster: 'c' };
const newPath = (): string => join(mkdtempSync(join(tmpdir(), 'tributary-contract-')), '0');

const scans: [prefix: string, after: string][] = [
  ['', ''],
  ['k', 'k2'],
  ['k3', ''],
  ['k', 'k9'],
];

const standing = (state: Pick<Workspace, 'get' | 'holds'> & Pick<State, 'scan'>) => ({
  scanned: Object.keys(stores).map((store) => scans.map(([prefix, after]) => [...state.scan(store, prefix, after)])),
  values: Object.keys(stores).map((store) => keys.map((key) => state.get(store, key))),
  held: members.map((member) => state.holds('growing', member)),
});

test('the state on disk and the one in memory say the same, after every batch and after opening it again', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (list) => {
      const path = newPath();
      let disk = new DiskState(path, stores, codecs);
      let memory = new MemoryState(stores);
      for (const { changes: batch, after } of list) {
        const work = new Workspace(stores, memory, someMoment);
        const onDisk = new Workspace(stores, disk, someMoment);
        for (const { store, key, value } of batch) {
          for (const one of [work, onDisk]) value ? one.put(store, key, value) : one.remove(store, key);
        }
        expect(standing(onDisk)).toEqual(standing(work));
        const changes: Change[] = [];
        for (const [store, byKey] of onDisk.changes) {
          for (const [key, value] of byKey)
            changes.push({ store, key, bytes: value === undefined ? null : codec.encode(value as never), value });
        }
        memory.apply(work);
        await disk.apply(changes, position);
        expect(standing(disk as never)).toEqual(standing(memory as never));
        if (after === 'nothing') continue;
        if (after === 'written') await sleep(10);
        else {
          await disk.clear();
          memory = new MemoryState(stores);
        }
        expect(standing(disk as never)).toEqual(standing(memory as never));
      }
      await disk.close();
      disk = new DiskState(path, stores, codecs);
      await disk.learnSchemas();
      expect(standing(disk as never)).toEqual(standing(memory as never));
      expect(disk.position).toEqual(list.length > 0 && list.at(-1)?.after !== 'cleared' ? position : undefined);
      await disk.close();
    }),
    { numRuns: 60 },
  );
});

test('a state that an earlier version left without the members of its values is thrown away, to be restored', async () => {
  const path = newPath();
  const earlier = open<Buffer, string>({ path, encoding: 'binary', noSubdir: false });
  await earlier.put('p', Buffer.from(JSON.stringify(position)));
  await earlier.put('dgrowing/k1', codec.encode({ profile_id: '0a', version: 1 } as never));
  await earlier.close();
  const disk = new DiskState(path, stores, codecs);
  await disk.learnSchemas();
  expect([disk.position, disk.get('growing', 'k1'), disk.holds('growing', '0a')]).toEqual([
    undefined,
    undefined,
    false,
  ]);
  await disk.close();
});

test('nothing is removed from a store that only grows', () => {
  const work = new Workspace(stores, new MemoryState(stores), someMoment);
  expect(() => work.remove('growing', 'k1')).toThrow('growing');
});
