import { createRequire } from 'node:module';

/** CommonJS, since the kit's ES modules name files that Node does not find; and not before a mapping asks for it. */
const require = createRequire(import.meta.url);
type Kit = typeof import('@segment/actions-core/mapping-kit');
type Fault = { readonly message: string; readonly errors?: readonly Error[] };

const kit = (): Kit => require('@segment/actions-core/mapping-kit') as Kit;
const validate = (): ((mapping: unknown) => void) =>
  (require('@segment/actions-core/mapping-kit/validate') as { default: (mapping: unknown) => void }).default;

type Members = Readonly<Record<string, unknown>>;

/**
 * What a mapping in the language of Segment's destinations (`{ '@path': '$.properties.id' }`) makes of data. What is not there is left out.
 * @throws Error where a directive cannot work with what the data holds
 */
export const transform = (mapping: Members, data: Members): Members =>
  kit().transform(mapping as Parameters<Kit['transform']>[0], data);

/** What is wrong with a mapping, whatever the data. */
export function mappingFaults(mapping: unknown): string[] {
  const faults = faultsOf(() => validate()(mapping));
  return faults.length > 0 ? faults : insideOf(mapping);
}

/** The kit does not look into lists and templates before it uses them. */
function insideOf(mapping: unknown): string[] {
  if (Array.isArray(mapping)) return mapping.flatMap(mappingFaults);
  if (mapping === null || typeof mapping !== 'object') return [];
  return Object.entries(mapping).flatMap(([name, value]) =>
    name === '@liquid' ? faultsOf(() => transform({ '@liquid': value }, {})) : insideOf(value),
  );
}

function faultsOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    // Several come as one error that is a list, in which each has the place in the mapping before it.
    const all = Symbol.iterator in (error as object) ? [...(error as Iterable<Fault>)] : [error as Fault];
    return all.map(({ message }) => message.split('\n', 1)[0] as string);
  }
}
