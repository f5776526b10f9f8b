import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Codec, typeOf } from '#shared/kafka/codec.ts';
import { type Change, DiskState } from './disk-state.ts';
import { MemoryState } from './memory.ts';
import type { Stores } from './task.ts';
import { Workspace } from './workspace.ts';

/** Values are profile ids; each letter of one is indexed, so that letters pass from value to value. */
const stores: Stores = {
  lettered: { record: 'Resolution', index: (value) => [...(value as unknown as { profile_id: string }).profile_id] },
  plain: { record: 'Resolution' },
};
const codec = new Codec('Resolution', 1, typeOf('Resolution'), undefined as never) as unknown as Codec;
const codecs = new Map(Object.keys(stores).map((store) => [store, codec]));

const letters = ['a', 'b', 'c', 'd', 'e'];
const keys = ['k1', 'k2', 'k3', 'k4'];
const change = fc.record({
  store: fc.constantFrom('lettered', 'plain'),
  key: fc.constantFrom(...keys),
  value: fc.option(
    fc
      .uniqueArray(fc.constantFrom(...letters), { maxLength: 3 })
      .map((list) => ({ profile_id: list.join(''), version: list.length })),
  ),
});
const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { maxLength: 8 });

const position = { offset: 0, at: 0, cluster: 'c' };

function standing(state: Pick<Workspace, 'get' | 'find'> & { after?: MemoryState['after'] }) {
  return {
    values: Object.keys(stores).map((store) => keys.map((key) => state.get(store, key))),
    found: letters.map((letter) => state.find('lettered', letter)),
  };
}

test('the state on disk and the one in memory say the same, after every batch and after opening it again', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (list) => {
      const path = join(mkdtempSync(join(tmpdir(), 'tributary-contract-')), '0');
      let disk = new DiskState(path, stores, codecs);
      const memory = new MemoryState(stores);
      for (const batch of list) {
        const work = new Workspace(stores, memory);
        const onDisk = new Workspace(stores, disk);
        for (const { store, key, value } of batch) {
          for (const one of [work, onDisk]) value ? one.put(store, key, value) : one.remove(store, key);
        }
        expect(standing(onDisk)).toEqual(standing(work));
        for (const after of [undefined, 'k2', 'k4'])
          expect(onDisk.first('lettered', after)).toEqual(work.first('lettered', after));
        const walked: string[] = [];
        for (let at = onDisk.first('lettered')?.[0]; at; at = onDisk.first('lettered', at)?.[0]) walked.push(at);
        expect(walked).toEqual(keys.filter((key) => work.get('lettered', key) !== undefined));
        const changes: Change[] = [];
        for (const [store, byKey] of onDisk.changes) {
          for (const [key, value] of byKey)
            changes.push({ store, key, bytes: value === undefined ? null : codec.encode(value as never), value });
        }
        memory.apply(work);
        await disk.apply(changes, position);
        expect(standing(disk as never)).toEqual(standing(memory as never));
        expect(disk.after('plain', 'k2')).toEqual(memory.after('plain', 'k2'));
      }
      await disk.close();
      disk = new DiskState(path, stores, codecs);
      expect(standing(disk as never)).toEqual(standing(memory as never));
      expect(disk.position).toEqual(list.length > 0 ? position : undefined);
      await disk.close();
    }),
    { numRuns: 60 },
  );
});
