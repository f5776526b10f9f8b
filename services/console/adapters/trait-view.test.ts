import { expect, onTestFinished, test } from 'vitest';
import { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { createLog } from '#shared/service/log.ts';
import { until } from '../../../test/support/until.ts';
import { TraitView } from './trait-view.ts';

const defining = (...names: readonly string[]): Definitions =>
  new Definitions(
    names.map((name) => ({ kind: 'traits', name, version: 1, body: definitionKinds.traits.parse({ type: 'text' }) })),
  );

test('the view is made again until it is made, as traits are defined by then, and not while nothing has changed', async () => {
  const said: string[] = [];
  let isAway = true;
  const client = {
    command: async ({ query }: { readonly query: string }) => {
      said.push(query.match(/(?<=AS `)\w+(?=`)/g)?.join(' ') ?? '');
      if (isAway) throw new Error('nobody answers');
    },
  };
  const view = new TraitView(client as never, { database: 'd', cluster: '' }, createLog('test', 'silent'));
  const running = view.run();
  onTestFinished(() => view.stop());
  view.want(defining('a'));
  await until('it was tried', async () => said.length === 1);
  view.want(defining('a', 'b'));
  isAway = false;
  await until('it was tried again', async () => said.length === 2);
  view.want(
    defining('a', 'b').with({ kind: 'purpose', name: 'p', version: 1, body: { description: '', default: 'denied' } }),
  );
  view.want(defining('b'));
  await until('it was changed', async () => said.length === 3);
  expect(said).toEqual(['a', 'a b', 'b']);
  await view.stop();
  await running;
});
