import { createClient } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { topics } from '#schemas/topics.ts';
import { followLedger } from '../../../deploy/local/sample/ledger.ts';
import { readWarehouse } from '../../../deploy/local/sample/warehouse.ts';
import { addresses } from '../../support/addresses.ts';
import { createInstallation } from '../../support/installation.ts';
import { produce } from '../../support/produce.ts';
import { until } from '../../support/until.ts';
import { openWarehouse } from '../../support/warehouse.ts';

test('the sample does not take for its own what other destinations got', async () => {
  const installation = await createInstallation(addresses());
  const warehouse = await openWarehouse(installation);
  const { clickhouseUrl: url, clickhousePassword: password } = addresses();
  const client = createClient({ url, username: 'default', password, database: warehouse.database });
  const { kafka, codecs, prefix } = installation;
  const ledger = await followLedger({ kafka, codecs, prefix, generation: 1 }, 'mine');
  try {
    const delivery = (key: string, destination: string, outcome: string) => ({
      key: 'p',
      value: {
        idempotency_key: key,
        destination,
        action: 'send',
        trigger: 'event',
        profile_id: '11111111-1111-5111-8111-111111111111',
        message_id: key,
        outcome,
        reason: null,
        purposes: [],
        consents: [],
        fields: [],
        attempts: 1,
        status: null,
        answer: null,
        requested_at: 1_700_000_000_000,
        finished_at: 1_700_000_000_000,
        definitions: [],
        generation: 1,
      },
    });
    await produce(installation, topics.deliveries, [
      delivery('a', 'mine', 'delivered'),
      delivery('b', 'orders', 'dead'),
      delivery('c', 'orders', 'delivered'),
    ]);
    const mine = new Map([['delivered', 1]]);
    await until('all deliveries are in ClickHouse', async () => {
      const [row] = await warehouse.rows<{ n: string }>('SELECT count() AS n FROM {db}.deliveries');
      return Number(row?.n) === 3;
    });
    expect((await readWarehouse(client, 'mine')).deliveries).toEqual(mine);
    expect((await ledger.read()).deliveries).toEqual(mine);
  } finally {
    await ledger.stop();
    await client.close();
    await warehouse.close();
    await installation.close();
  }
});
