import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { kafkaUnit } from './kafka.ts';

test('what another Kafka has written is left alone, and that is said', async () => {
  const directory = temporaryDirectory();
  const unit = kafkaUnit({ java: 'true', jars: directory, directory, port: 1, controllerPort: 2, heapMb: 64 });
  await unit.command();
  // As the format leaves it.
  writeFileSync(join(directory, 'data', 'meta.properties'), '');
  expect(await unit.command()).toMatchObject({ program: 'true' });
  rmSync(join(directory, 'written-by'));
  await expect(async () => unit.command()).rejects.toThrow('was written by Kafka 4.3');
  expect(existsSync(join(directory, 'data', 'meta.properties'))).toBe(true);
});
