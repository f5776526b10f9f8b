import type { DefinitionVersion } from '#schemas/generated/records.ts';
import type { DefinitionBodies, DefinitionKind } from './kinds.ts';

/** A definition in force. */
export interface InForce<K extends DefinitionKind = DefinitionKind> {
  readonly kind: K;
  readonly name: string;
  readonly version: number;
  readonly body: DefinitionBodies[K];
}

/** The definitions in force at one moment: an immutable snapshot. */
export class Definitions {
  readonly #byKey: ReadonlyMap<string, InForce>;

  constructor(inForce: Iterable<InForce> = []) {
    this.#byKey = new Map([...inForce].map((definition) => [`${definition.kind}/${definition.name}`, definition]));
  }

  get<K extends DefinitionKind>(kind: K, name: string): InForce<K> | undefined {
    return this.#byKey.get(`${kind}/${name}`) as InForce<K> | undefined;
  }

  /** All of a kind, sorted by name. */
  list<K extends DefinitionKind>(kind: K): InForce<K>[] {
    return [...this.#byKey.values()]
      .filter((definition): definition is InForce<K> => definition.kind === kind)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** This snapshot with one definition put in, or taken out when it is deleted. */
  with(definition: InForce, deleted = false): Definitions {
    const next = new Map(this.#byKey);
    if (deleted) next.delete(`${definition.kind}/${definition.name}`);
    else next.set(`${definition.kind}/${definition.name}`, definition);
    return new Definitions(next.values());
  }
}

/** How a record says which definition it met. */
export const versionOf = (definition: InForce): DefinitionVersion => ({
  definition: `${definition.kind}/${definition.name}`,
  version: definition.version,
});
