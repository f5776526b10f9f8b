import { stringify } from 'yaml';
import { exactly } from '#shared/json/exact-json.ts';
import type { Connections } from '../connections.ts';
import type { Output } from '../output.ts';
import { pathOf } from '../path-of.ts';

/** JSON keeps numbers as they were sent; for people they are rounded as usual. */
const shown = (answer: string): Output => ({ json: exactly(answer), text: stringify(JSON.parse(answer)).trimEnd() });

export const profile = async (connections: Connections, [reference]: readonly string[]): Promise<Output> =>
  shown(await connections.api(pathOf(reference)));
