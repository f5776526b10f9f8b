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

  /** This snapshot with one definition put in. */
  with(definition: InForce): Definitions {
    return new Definitions([...this.#byKey.values(), definition]);
  }

  /** This snapshot with one definition taken out. @param key `kind/name` */
  without(key: string): Definitions {
    const next = new Map(this.#byKey);
    return next.delete(key) ? new Definitions(next.values()) : this;
  }
}

/** How a record says which definition it met. */
export const versionOf = (definition: InForce): DefinitionVersion => ({
  definition: `${definition.kind}/${definition.name}`,
  version: definition.version,
});
