import type { ClaimRef, Identifier, Link, Node } from '#schemas/generated/records.ts';
import { placeOfClaim } from '#shared/identity/claim-id.ts';
import { type Cut, cutOf } from '#shared/identity/linking/cut.ts';
import {
  CAPS,
  type Caps,
  type Edge,
  edgeOf,
  type IsActive,
  KEPT_BY_ID,
  NEVER,
  newNode,
  unites,
  type Vertex,
  withClaim,
  withoutClaim,
} from '#shared/identity/linking/graph.ts';
import { mayLink } from '#shared/identity/linking/resolve.ts';
import type { Rules } from '#shared/identity/linking/rules.ts';
import { links } from '#shared/identity/linking/strength.ts';

/** The claim that decided something: of several in a batch the one with the highest offset. */
export interface Decider {
  readonly offset: number;
  readonly receivedAt: number;
}

/** A connected part of the graph in which something changed. */
export interface Component {
  /** Of one that was cut without being so before, or whose links are looked at anew: with all edges. Else with those that changed. */
  readonly vertices: readonly Vertex[];
  readonly decider: Decider;
  /** Set when it is one identifier that was cut. */
  readonly cut: Cut | undefined;
}

/** The graph as it is kept. */
export interface GraphStore {
  node(hash: string): Node | undefined;
  link(from: string, to: string): Link | undefined;
  links(from: string): Iterable<readonly [to: string, link: Link]>;
  /** Hashes of the nodes that begin so. */
  hashes(beginning: string): Iterable<string>;
}

export interface BatchGraphOptions {
  readonly store: GraphStore;
  /** Whether a claim counts. */
  readonly isActive: IsActive;
  readonly profileIdOf: (hash: string) => string;
  readonly rules: Rules;
  readonly caps?: Caps;
}

const NO_LINK: Link = { claims: [], refused: null };

/** The graph as one batch changes it: first `claim`, `forget` and `visit`, then `components`, then what is to be kept. */
export class BatchGraph {
  readonly #store: GraphStore;
  readonly #isActive: IsActive;
  readonly #profileIdOf: (hash: string) => string;
  readonly #rules: Rules;
  readonly #caps: Caps;
  readonly #nodes = new Map<string, Node>();
  /** When those were received that are new. */
  readonly #new = new Map<string, number>();
  /** By both ends: links that this batch changed. */
  readonly #links = new Map<string, Map<string, Link>>();
  readonly #touched = new Map<string, Decider>();
  /** Whose counts do not follow from the claims of this batch alone. */
  readonly #visited = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #cuts = new Map<string, Cut | undefined>();
  readonly #edges = new Map<string, readonly Edge[]>();
  /** By identifier: the other ends of its links as they are kept, by the ids of their claims. */
  readonly #ends = new Map<string, ReadonlyMap<string, string>>();

  constructor({ store, isActive, profileIdOf, rules, caps = CAPS }: BatchGraphOptions) {
    this.#store = store;
    this.#isActive = isActive;
    this.#profileIdOf = profileIdOf;
    this.#rules = rules;
    this.#caps = caps;
  }

  node(hash: string): Node | undefined {
    const known = this.#nodes.get(hash);
    if (known) return known;
    const stored = this.#store.node(hash);
    if (stored) this.#nodes.set(hash, stored);
    return stored && stored.edges.length + Number(stored.overflow) > 0 ? this.#takenOver(stored) : stored;
  }

  /** Puts a claim about one or two identifiers in. @returns whether that was news */
  claim(identifiers: readonly [Identifier, Identifier?], claim: ClaimRef, decider: Decider): boolean {
    const [one, other] = identifiers;
    const both = other ? [one, other] : [one];
    for (const identifier of both) this.#ensure(identifier, decider.receivedAt);
    const before = other ? (this.#link(one.hash, other.hash) ?? NO_LINK).claims : (this.node(one.hash) as Node).claims;
    const claims = withClaim(before, claim);
    if (claims === before) return false;
    if (other) {
      const gains = !unites({ claims: before }, this.#isActive) && unites({ claims }, this.#isActive);
      this.#setLink(one.hash, other.hash, claims);
      if (gains) this.#count(one.hash, other.type);
      if (gains) this.#count(other.hash, one.type);
    } else this.#put({ ...(this.node(one.hash) as Node), claims });
    const was = before.find(({ id }) => id === claim.id);
    const now = claims.find(({ id }) => id === claim.id) as ClaimRef;
    const counts = this.#isActive(now);
    for (const { hash } of both) {
      // It was withdrawn by what it came from then, or is so now.
      if (was && this.#isActive(was) !== counts) this.visit(hash, decider);
      const node = this.node(hash) as Node;
      if (counts && now.received_at < node.first_received) this.#put({ ...node, first_received: now.received_at });
      this.#touch(hash, decider);
    }
    return true;
  }

  /** The identifiers that the claim with this id is about, where the id begins as such ids do. */
  hashesOf(id: string): readonly string[] {
    const place = placeOfClaim(id);
    if (place === undefined) return [];
    return this.#hashesAmong(this.#store.hashes(place), id) ?? this.#hashesAmong(this.#newFrom(place), id) ?? [];
  }

  /** Takes a claim out for good, as if it had never been made. */
  forget(hashes: readonly string[], id: string, decider: Decider): void {
    const [one, other] = hashes as [string, string?];
    if (other === undefined) {
      const node = this.node(one);
      if (node) this.#put({ ...node, claims: withoutClaim(node.claims, id) });
    } else {
      const link = this.#link(one, other);
      if (link) this.#setLink(one, other, withoutClaim(link.claims, id));
    }
    for (const hash of hashes) this.visit(hash, decider);
  }

  /** Has an identifier looked at anew: whether its claims count may have changed. */
  visit(hash: string, decider: Decider): void {
    if (!this.node(hash)) return;
    this.#visited.add(hash);
    this.#touch(hash, decider);
  }

  /** Every component that the batch touched, once. Call after the last claim. */
  *components(): Iterable<Component> {
    for (const hash of this.#visited) this.#recount(hash);
    // Those that are touched on the way come up, too.
    for (const [hash, decider] of this.#touched) {
      const node = this.node(hash) as Node;
      const cut = this.cut(hash) ?? null;
      if (node.cut === cut) continue;
      // Whoever was, or would be, linked through it is so no longer, or again.
      this.#put({ ...node, cut });
      this.#visited.add(hash);
      for (const { to, strength } of this.#edgesOf(hash)) if (links(strength)) this.#touch(to, decider);
    }
    const seen = new Set<string>();
    for (const hash of this.#touched.keys()) if (!seen.has(hash)) yield this.#componentOf(hash, seen);
  }

  /** Why the identifier links nothing, if so. Stands once all claims are in. */
  cut(hash: string): Cut | undefined {
    const known = this.#cuts.get(hash);
    if (known !== undefined || this.#cuts.has(hash)) return known;
    const node = this.node(hash);
    const cut = node && cutOf(node, this.#isActive, this.#rules, this.#caps);
    this.#cuts.set(hash, cut);
    return cut;
  }

  /** Writes down what was decided about a node. */
  decided(node: Node): void {
    this.#put(node);
  }

  /** Writes down why a link unites nothing, at one of its ends. */
  marked(from: string, to: string, refused: string | null): void {
    const link = this.#link(from, to);
    if (link) this.#at(from).set(to, { ...link, refused });
  }

  /** New nodes, in the order of their first claims. */
  *newNodes(): Iterable<{ readonly node: Node; readonly receivedAt: number }> {
    for (const [hash, receivedAt] of this.#new) yield { node: this.#nodes.get(hash) as Node, receivedAt };
  }

  /** Nodes that are not as they are kept. */
  *changedNodes(): Iterable<Node> {
    for (const hash of this.#changed) yield this.#nodes.get(hash) as Node;
  }

  *changedLinks(): Iterable<{ readonly from: string; readonly to: string; readonly link: Link }> {
    for (const [from, others] of this.#links) for (const [to, link] of others) yield { from, to, link };
  }

  /** Makes sure that an identifier has a node. */
  #ensure(identifier: Identifier, receivedAt: number): void {
    const { hash } = identifier;
    if (this.node(hash)) return;
    this.#new.set(hash, receivedAt);
    this.#put(newNode(identifier, this.#profileIdOf(hash)));
  }

  #count(hash: string, typeOfNeighbour: string): void {
    const node = this.node(hash) as Node;
    const types = { ...node.types, [typeOfNeighbour]: (node.types[typeOfNeighbour] ?? 0) + 1 };
    this.#put({ ...node, neighbours: node.neighbours + 1, types });
  }

  #recount(hash: string): void {
    const node = this.node(hash) as Node;
    let age = NEVER;
    let neighbours = 0;
    const types: Record<string, number> = {};
    const take = (claim: ClaimRef): void => {
      if (claim.received_at < age && this.#isActive(claim)) age = claim.received_at;
    };
    for (const claim of node.claims) take(claim);
    for (const [to, link] of this.#linksOf(hash)) {
      for (const claim of link.claims) take(claim);
      if (!unites(link, this.#isActive)) continue;
      neighbours++;
      const type = this.node(to)?.identifier.type ?? '';
      types[type] = (types[type] ?? 0) + 1;
    }
    if (node.first_received === age && sameCounts(node.types, types)) return;
    this.#put({ ...node, first_received: age, neighbours, types });
  }

  #componentOf(start: string, seen: Set<string>): Component {
    seen.add(start);
    let decider = this.#touched.get(start) as Decider;
    const cut = this.cut(start);
    const node = this.node(start) as Node;
    // One with very many neighbours is not to be looked through with every claim.
    if (cut) {
      const edges = this.#visited.has(start) ? this.#edgesOf(start) : this.#changedEdgesOf(start);
      return { vertices: [{ node, edges }], decider, cut };
    }
    const vertices: Vertex[] = [{ node, edges: this.#edgesOf(start) }];
    for (let i = 0; i < vertices.length; i++) {
      const { node, edges } = vertices[i] as Vertex;
      const touched = this.#touched.get(node.identifier.hash);
      if (touched && touched.offset > decider.offset) decider = touched;
      for (const { to, strength } of edges) {
        if (!links(strength) || seen.has(to) || this.cut(to)) continue;
        const neighbour = this.node(to) as Node;
        if (!mayLink(node.identifier.type, neighbour.identifier.type, this.#rules)) continue;
        seen.add(to);
        vertices.push({ node: neighbour, edges: this.#edgesOf(to) });
      }
    }
    return { vertices, decider, cut };
  }

  #edgesOf(hash: string): readonly Edge[] {
    const known = this.#edges.get(hash);
    if (known) return known;
    const edges = [...this.#linksOf(hash)].map(([to, link]) => edgeOf(to, link, this.#isActive));
    this.#edges.set(hash, edges);
    return edges;
  }

  #changedEdgesOf(hash: string): readonly Edge[] {
    const changed = [...(this.#links.get(hash) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return changed.map(([to, link]) => edgeOf(to, link, this.#isActive));
  }

  /** Sorted by the other end. */
  #linksOf(hash: string): Iterable<readonly [string, Link]> {
    const changed = this.#links.get(hash);
    // Nothing is kept of a new one: there is nothing to look for.
    const isNew = this.#new.has(hash);
    if (!changed) return isNew ? [] : this.#store.links(hash);
    const all = isNew ? changed : new Map(this.#store.links(hash));
    if (all !== changed) for (const [to, link] of changed) all.set(to, link);
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  *#newFrom(place: string): Iterable<string> {
    for (const hash of this.#new.keys()) if (hash.startsWith(place)) yield hash;
  }

  #hashesAmong(candidates: Iterable<string>, id: string): readonly string[] | undefined {
    for (const hash of candidates) {
      if (this.node(hash)?.claims.some((claim) => claim.id === id)) return [hash];
      const to = this.#endOf(hash, id);
      if (to !== undefined) return [hash, to];
    }
    return undefined;
  }

  /** The other end of the link that a claim is kept with. */
  #endOf(hash: string, id: string): string | undefined {
    let ends = this.#ends.get(hash);
    if (!ends) {
      const links = this.#new.has(hash) ? [] : [...this.#store.links(hash)];
      ends = new Map(links.flatMap(([to, { claims }]) => claims.map((claim) => [claim.id, to] as const)));
      this.#ends.set(hash, ends);
    }
    const changed = this.#links.get(hash);
    const holds = (to: string): boolean => changed?.get(to)?.claims.some((claim) => claim.id === id) === true;
    const to = ends.get(id);
    if (to !== undefined) return !changed?.has(to) || holds(to) ? to : undefined;
    return changed && [...changed.keys()].find(holds);
  }

  #link(from: string, to: string): Link | undefined {
    const changed = this.#links.get(from)?.get(to);
    if (changed || this.#new.has(from) || this.#new.has(to)) return changed;
    return this.#store.link(from, to);
  }

  #at(from: string): Map<string, Link> {
    const others = this.#links.get(from) ?? new Map<string, Link>();
    this.#links.set(from, others);
    return others;
  }

  /** Both ends hold a link. */
  #setLink(one: string, other: string, claims: readonly ClaimRef[]): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const)
      this.#at(from).set(to, { claims, refused: this.#link(from, to)?.refused ?? null });
  }

  #put(node: Node): void {
    const { hash } = node.identifier;
    this.#nodes.set(hash, node);
    this.#changed.add(hash);
  }

  #touch(hash: string, decider: Decider): void {
    const known = this.#touched.get(hash);
    if (!known || decider.offset > known.offset) this.#touched.set(hash, decider);
  }

  /** A node as an earlier version of the software left it, with its links in it. */
  #takenOver({ edges, overflow, ...node }: Node): Node {
    const { hash } = node.identifier;
    const alone: ClaimRef[] = [];
    for (const { to, strength, first_received: at, claim_ids: ids, refused } of edges) {
      const claims = ids.map((id) => ({ id, strength, received_at: at, occurred_at: at, origin: KEPT_BY_ID }));
      if (to === hash) alone.push(...claims);
      else {
        const link = this.#link(hash, to) ?? { ...NO_LINK, refused };
        this.#at(hash).set(to, { ...link, claims: claims.reduce(withClaim, link.claims) });
      }
    }
    const claims = [
      {
        id: '',
        strength: 2,
        received_at: node.first_received,
        occurred_at: node.first_received,
        origin: KEPT_BY_ID,
      },
      ...alone,
    ].reduce(withClaim, node.claims);
    const neighbours = overflow ? this.#caps.kept + 1 : 0;
    this.#put({ ...node, edges: [], overflow: false, claims, neighbours });
    if (!overflow) this.#recount(hash);
    return this.#nodes.get(hash) as Node;
  }
}

const sameCounts = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean => {
  const types = Object.keys(a);
  return types.length === Object.keys(b).length && types.every((type) => a[type] === b[type]);
};
