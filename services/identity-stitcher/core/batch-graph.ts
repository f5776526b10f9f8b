import type { Identifier, Node } from '#schemas/generated/records.ts';
import { type Cut, cutOf } from './cut.ts';
import { CAPS, type Caps, connected, neighboursOf, newNode, sighted } from './graph.ts';
import { mayLink } from './resolve.ts';
import type { Rules } from './rules.ts';

/** The claim that decided something: of several in a batch the one with the highest offset. */
export interface Decider {
  readonly offset: number;
  readonly receivedAt: number;
}

/** A connected part of the graph in which something changed. */
export interface Component {
  readonly nodes: readonly Node[];
  readonly decider: Decider;
  /** Set when it is one identifier that was cut. */
  readonly cut: Cut | undefined;
}

export interface BatchGraphOptions {
  readonly read: (hash: string) => Node | undefined;
  readonly profileIdOf: (hash: string) => string;
  readonly rules: Rules;
  readonly caps?: Caps;
}

/** The graph as one batch of claims changes it: first `claim`, then `components`. */
export class BatchGraph {
  readonly #read: (hash: string) => Node | undefined;
  readonly #profileIdOf: (hash: string) => string;
  readonly #rules: Rules;
  readonly #caps: Caps;
  readonly #nodes = new Map<string, Node>();
  readonly #before = new Map<string, Node | undefined>();
  readonly #touched = new Map<string, Decider>();
  readonly #cuts = new Map<string, Cut | undefined>();

  constructor({ read, profileIdOf, rules, caps = CAPS }: BatchGraphOptions) {
    this.#read = read;
    this.#profileIdOf = profileIdOf;
    this.#rules = rules;
    this.#caps = caps;
  }

  node(hash: string): Node | undefined {
    const known = this.#nodes.get(hash);
    if (known) return known;
    const stored = this.#read(hash);
    if (stored) this.#nodes.set(hash, stored);
    return stored;
  }

  /**
   * Puts a claim about an identifier in.
   * @param edge where it is about two, or blocks this one (`to` is its own hash)
   * @returns whether that was news
   */
  claim(
    identifier: Identifier,
    decider: Decider,
    edge?: { readonly to: string; readonly strength: number; readonly claimId: string },
  ): boolean {
    const { hash } = identifier;
    const before = this.node(hash);
    let node = before
      ? sighted(before, decider.receivedAt)
      : newNode(identifier, decider.receivedAt, this.#profileIdOf(hash));
    if (edge) {
      const claim = { id: edge.claimId, receivedAt: decider.receivedAt };
      node = connected(node, edge.to, edge.strength, claim, this.#caps.kept);
    }
    if (node === before) return false;
    if (!this.#before.has(hash)) this.#before.set(hash, before);
    this.#nodes.set(hash, node);
    this.#touch(hash, decider);
    return true;
  }

  /** Nodes that the batch's claims changed, and the new ones among them, in the order of their first claims. */
  *changed(): Iterable<{ readonly node: Node; readonly isNew: boolean }> {
    for (const [hash, before] of this.#before) {
      yield { node: this.#nodes.get(hash) as Node, isNew: before === undefined };
    }
  }

  /** Every component that the batch touched, once. Call after the last claim. */
  *components(): Iterable<Component> {
    for (const [hash, before] of this.#before) {
      if (!before || before === this.#nodes.get(hash)) continue;
      if (cutOf(before, this.#typeOf, this.#rules, this.#caps) === this.cut(hash)) continue;
      // Whoever was, or would be, linked through it is so no longer.
      const decider = this.#touched.get(hash) as Decider;
      for (const neighbour of neighboursOf(before)) this.#touch(neighbour, decider);
    }
    const visited = new Set<string>();
    for (const hash of this.#touched.keys()) if (!visited.has(hash)) yield this.#componentOf(hash, visited);
  }

  /** Why the identifier links nothing, if so. Stands once all claims are in. */
  cut(hash: string): Cut | undefined {
    const known = this.#cuts.get(hash);
    if (known !== undefined || this.#cuts.has(hash)) return known;
    const node = this.node(hash);
    const cut = node && cutOf(node, this.#typeOf, this.#rules, this.#caps);
    this.#cuts.set(hash, cut);
    return cut;
  }

  readonly #typeOf = (hash: string): string | undefined => this.node(hash)?.identifier.type;

  #touch(hash: string, decider: Decider): void {
    const known = this.#touched.get(hash);
    if (!known || decider.offset > known.offset) this.#touched.set(hash, decider);
  }

  #componentOf(start: string, visited: Set<string>): Component {
    const first = this.node(start) as Node;
    visited.add(start);
    let decider = this.#touched.get(start) as Decider;
    const cut = this.cut(start);
    const nodes = [first];
    if (cut) return { nodes, decider, cut };
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as Node;
      const touched = this.#touched.get(node.identifier.hash);
      if (touched && touched.offset > decider.offset) decider = touched;
      for (const hash of neighboursOf(node)) {
        if (visited.has(hash) || this.cut(hash)) continue;
        const neighbour = this.node(hash) as Node;
        if (!mayLink(node.identifier.type, neighbour.identifier.type, this.#rules)) continue;
        visited.add(hash);
        nodes.push(neighbour);
      }
    }
    return { nodes, decider, cut };
  }
}
