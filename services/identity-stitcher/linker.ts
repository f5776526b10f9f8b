import { hash } from 'node:crypto';
import type { Control, IdentityChange, IdentityClaim, KnownClaim, Linking, Role } from '#schemas/generated/records.ts';
import { controlTopic, quietTopics, rolesTopic, topics } from '#schemas/topics.ts';
import type { Definitions } from '#shared/definitions/definitions.ts';
import { definitionKinds } from '#shared/definitions/kinds.ts';
import { firstRole, speaksToAll } from '#shared/generations/role.ts';
import { tellsFirst } from '#shared/identity/claim-id.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import type { Hashing } from '#shared/identity/hashing.ts';
import { type Statement, statementOf } from '#shared/identity/linking/claim.ts';
import { type Caps, type IsActive, KEPT_BY_ID } from '#shared/identity/linking/graph.ts';
import { type Rules, rulesIn, rulesOf } from '#shared/identity/linking/rules.ts';
import { claimNamed, withdrawnBy } from '#shared/identity/linking/withdrawals.ts';
import { defineTask, type Input, type Stores, type Work } from '#shared/task/task.ts';
import { adoptionStores, takeInControl, tellOn } from './adopt.ts';
import { discovered, mappingAfter, moved, quarantined, refused } from './core/announcements.ts';
import { BatchGraph, type Decider } from './core/batch-graph.ts';
import { decide } from './core/decide.ts';
import { defaultProfiles } from './core/default-profiles.ts';

export interface LinkerOptions {
  readonly hashing: Hashing;
  readonly generation: number;
  /** Until it is told otherwise what it says is for nobody but its own generation. */
  readonly quiet?: boolean;
  /** It reads claims of its own generation, which `reclaim.ts` puts there, instead of those of all. */
  readonly rebuilt?: boolean;
  /** It goes by the rules of the definitions, whatever was activated. */
  readonly ownRules?: boolean;
  readonly caps?: Caps;
  /** So many identifiers are looked at anew in a batch, after the rules or what counts have changed for all. */
  readonly sweptAtOnce?: number;
}

const SWEPT_AT_ONCE = 500;

const stores = {
  ...adoptionStores,
  /** By the hashes of both ends. */
  link: { record: 'Link' },
  /** By its number. */
  origin: { record: 'Origin' },
  /** By claim id: those that are not found by it, made elsewhere or kept by an earlier version of the software. */
  claim: { record: 'KnownClaim' },
  /** By the id of the claim that withdraws. */
  withdrawal: { record: 'Withdrawal' },
  /** One, under `now`. */
  linking: { record: 'Linking' },
  /** One, under `now`. */
  role: { record: 'Role' },
} as const satisfies Stores;

type Outputs = {
  readonly mapping: { readonly value: 'IdentityMapping' };
  readonly change: { readonly value: 'IdentityChange' };
  readonly ownMapping: { readonly value: 'IdentityMapping' };
  readonly ownChange: { readonly value: 'IdentityChange' };
  readonly role: { readonly value: 'Role' };
};
type LinkerWork = Work<typeof stores, Outputs>;
type ClaimInput = Input<'claim', IdentityClaim>;
type ControlInput = Input<'control', Control>;
type About = Extract<Statement, { kind: 'about' }>;

/** Outcome of all that no resolver claimed: the books tell how much of it there is. */
const DECISION = 'decision';
const isResolver = (actor: string): boolean => /^resolver-\d+$/.test(actor);
const NOW = 'now';
const HASH_LENGTH = 32;
/** What a number holds exactly, in hexadecimal digits. */
const ORIGIN_DIGITS = 12;
const initially: Linking = { rules: null, definitions: [], sweep: null, floor: 0 };

/** Works out from the set of claims which identifiers are one profile, and says what moved. */
export const createLinker = ({
  hashing,
  generation,
  quiet = false,
  rebuilt = false,
  ownRules = false,
  caps,
  sweptAtOnce = SWEPT_AT_ONCE,
}: LinkerOptions) => {
  const profileIdOf = defaultProfiles(hashing);
  const rulesUnder = ownRules ? (_: Linking, definitions: Definitions) => rulesIn(definitions) : rulesOnce();
  const own = quietTopics(generation);

  return defineTask({
    name: 'linker',
    inputs: {
      claim: rebuilt ? own.identityClaims : topics.identityClaims,
      control: controlTopic(generation, 'linker'),
    },
    outputs: {
      mapping: topics.identityMappings,
      change: topics.identityChanges,
      ownMapping: own.identityMappings,
      ownChange: own.identityChanges,
      role: rolesTopic(generation),
    },
    stores,
    /** Claims about one identifier come together: the more of them in a batch, the fewer times it is written. */
    batchSize: 6_000,
    /** A sweep goes on although no claims come. */
    goesOn: true,
    process(all, work, definitions) {
      const before = work.get('linking', NOW) ?? initially;
      const { inputs, role, adopted } = controlled(all, work, before);
      const general = generalClaims(inputs, work, adopted);
      const { linking, withdrawn, named } = general;
      const rules = rulesUnder(linking, definitions);
      const originOf = originsIn(work);
      const graph = new BatchGraph({
        store: {
          node: (hash) => work.get('node', hash),
          link: (from, to) => work.get('link', from + to),
          links: (from) => linksFrom(work, from),
          hashes: (beginning) => work.scan('node', beginning).map(([hash]) => hash),
        },
        isActive: activeUnder(withdrawn, work),
        profileIdOf,
        rules,
        ...(caps && { caps }),
      });

      for (const input of inputs) {
        const statement = general.statements.get(input);
        if (statement) takeIn(input, statement, originOf, work, graph);
        else if (!input.value) forget(input, work, graph);
      }
      for (const [id, decider] of named) for (const hash of hashesOf(id, work, graph)) graph.visit(hash, decider);
      const swept = sweepOn(linking, sweptAtOnce, work, graph);
      if (swept !== before) work.put('linking', NOW, swept);
      if (swept.sweep) work.goOn();
      writeDown(graph, work, { rules, profileIdOf, generation, role, floor: swept.floor });
      const stamp = { definitions: rules.versions, generation };
      keepRole(tellOn(role, sweptAtOnce, work, stamp, { profileIdOf, generation }), work);
    },
  });

  /** What the linker is told of its role comes before the claims of a batch. */
  function controlled(all: readonly (ClaimInput | ControlInput)[], work: LinkerWork, before: Linking) {
    const inputs: ClaimInput[] = [];
    let role = work.get('role', NOW) ?? firstRole('linker', quiet, work.moment);
    let adopted = before;
    for (const input of all) {
      if (input.input === 'claim') inputs.push(input);
      else if (input.value) {
        ({ role, linking: adopted } = takeInControl(input, role, adopted, work, { profileIdOf, generation }));
        work.settle(input, 'noted');
      } else work.reject(input, { reason: 'empty', message: 'a record without a value' });
    }
    return { inputs, role, adopted };
  }
};

function keepRole(role: Role, work: LinkerWork): void {
  if (role.after !== null) work.goOn();
  const known = work.get('role', NOW);
  if (known === role || role.edition === 1) return;
  work.put('role', NOW, role);
  work.emit('role', `linker/${role.partition}`, role, work.moment.now);
}

interface General {
  readonly linking: Linking;
  /** Targets of what does not count. */
  readonly withdrawn: ReadonlySet<string>;
  /** Claims whose withdrawal begins or ends here. */
  readonly named: ReadonlyMap<string, Decider>;
  /** What the others ask of the graph. */
  readonly statements: ReadonlyMap<ClaimInput, About>;
}

/**
 * Takes in what holds for many claims, the rules and withdrawals, before any of the batch's other claims: these meet what holds
 * after it, whatever their order.
 */
function generalClaims(inputs: readonly ClaimInput[], work: LinkerWork, before: Linking): General {
  let linking = before;
  const named = new Map<string, Decider>();
  const statements = new Map<ClaimInput, About>();
  const changed = (target: string | undefined, decider: Decider): void => {
    if (target === undefined) return;
    const id = claimNamed(target);
    if (id !== undefined) named.set(id, decider);
    else linking = { ...linking, sweep: { after: '', offset: decider.offset, received_at: decider.receivedAt } };
  };
  for (const input of inputs) {
    const claim = input.value;
    if (!claim) {
      const known = work.get('withdrawal', input.key);
      if (!known) continue;
      work.remove('withdrawal', input.key);
      changed(known.target, deciderOf(input));
      continue;
    }
    const statement = statementOf(claim);
    const decider = deciderOf(input);
    if (statement.kind === 'about') statements.set(input, statement);
    else if (statement.kind === 'invalid') work.reject(input, { reason: 'invalid_claim', message: statement.message });
    else if (statement.kind === 'withdraw') {
      const known = work.get('withdrawal', claim.claim_id)?.target;
      const target = statement.target ?? undefined;
      work.settle(input, DECISION);
      if (known === target) continue;
      if (target === undefined) work.remove('withdrawal', claim.claim_id);
      else work.put('withdrawal', claim.claim_id, { target });
      changed(known, decider);
      changed(target, decider);
    } else {
      const { rules } = statement;
      const { definitions } = claim;
      if (rules !== null && !isRules(rules)) {
        work.reject(input, { reason: 'invalid_claim', message: 'these are no identity rules' });
        continue;
      }
      const isKnown = linking.rules === rules && JSON.stringify(linking.definitions) === JSON.stringify(definitions);
      work.settle(input, DECISION);
      if (isKnown) continue;
      const sweep = { after: '', offset: decider.offset, received_at: decider.receivedAt };
      linking = { ...linking, rules, definitions, sweep };
    }
  }
  const withdrawn = new Set(work.scan('withdrawal', '').map(([, { target }]) => target));
  return { linking, withdrawn, named, statements };
}

/** Whether claims count while these targets are withdrawn. */
function activeUnder(withdrawn: ReadonlySet<string>, work: LinkerWork): IsActive {
  if (withdrawn.size === 0) return () => true;
  const counts = (id: string, from: Pick<KnownClaim, 'source' | 'actor' | 'definitions'> | undefined): boolean =>
    !from || withdrawnBy({ claim_id: id, ...from }, withdrawn).length === 0;
  const byOrigin = remembered((origin: number) => counts('', work.get('origin', String(origin))));
  // Of a claim that an earlier version of the software took in nothing may be known but its id.
  const byId = remembered((id: string) => counts(id, work.get('claim', id)));
  return ({ id, origin }) => !withdrawn.has(`claim:${id}`) && (origin === KEPT_BY_ID ? byId(id) : byOrigin(origin));
}

type OriginOf = (claim: Pick<IdentityClaim, 'source' | 'actor' | 'definitions'>) => number;

/** Numbers where claims come from, the same everywhere and always. There are few: sources, actors and versions of definitions. */
function originsIn(work: LinkerWork): OriginOf {
  const known = new Map<string, number>();
  return ({ source, actor, definitions }) => {
    let text = `${source ?? ''}\0${actor}`;
    for (const { definition, version } of definitions) text += `\0${definition}@${version}`;
    let number = known.get(text);
    if (number === undefined) {
      number = Number.parseInt(hash('sha256', text, 'hex').slice(0, ORIGIN_DIGITS), 16);
      known.set(text, number);
      if (!work.get('origin', String(number))) work.put('origin', String(number), { source, actor, definitions });
    }
    return number;
  };
}

/** The identifiers that a claim is about; none: it is not known. */
const hashesOf = (id: string, work: LinkerWork, graph: BatchGraph): readonly string[] =>
  work.get('claim', id)?.hashes ?? graph.hashesOf(id);

function takeIn(
  input: ClaimInput,
  { identifiers, strength }: About,
  originOf: OriginOf,
  work: LinkerWork,
  graph: BatchGraph,
): void {
  const claim = input.value as IdentityClaim;
  const { claim_id: id, actor, received_at } = claim;
  const occurred_at = claim.occurred_at ?? received_at;
  if (!tellsFirst(id, identifiers[0].hash)) {
    const { source, definitions } = claim;
    const hashes = identifiers.map(({ hash }) => hash);
    const known = work.get('claim', id);
    if (!known) work.put('claim', id, { hashes, strength, source, actor, definitions, received_at, occurred_at });
    else if (known.hashes.join() !== hashes.join()) {
      work.reject(input, { reason: 'invalid_claim', message: 'a claim about other identifiers has this id' });
      return;
    }
  }
  const ref = { id, strength, received_at, occurred_at, origin: originOf(claim) };
  const news = graph.claim(identifiers, ref, deciderOf(input));
  const outcome = news ? 'applied' : 'known';
  work.settle(input, isResolver(actor) ? outcome : DECISION);
}

/** A claim was erased. */
function forget(input: ClaimInput, work: LinkerWork, graph: BatchGraph): void {
  const { key: id } = input;
  const hashes = hashesOf(id, work, graph);
  if (hashes.length > 0) graph.forget(hashes, id, deciderOf(input));
  if (work.get('claim', id)) work.remove('claim', id);
  work.settle(input, DECISION);
}

const deciderOf = ({ offset, value, timestamp }: ClaimInput): Decider => ({
  offset,
  receivedAt: value?.received_at ?? timestamp,
});

/** Has some more identifiers looked at anew, where that is under way. */
function sweepOn(linking: Linking, most: number, work: LinkerWork, graph: BatchGraph): Linking {
  const { sweep } = linking;
  if (!sweep) return linking;
  const decider = { offset: sweep.offset, receivedAt: sweep.received_at };
  const nodes = work.scan('node', '', sweep.after, most);
  for (const [hash] of nodes) graph.visit(hash, decider);
  const after = nodes.length < most ? undefined : nodes.at(-1)?.[0];
  return { ...linking, sweep: after === undefined ? null : { ...sweep, after } };
}

interface Around {
  readonly rules: Rules;
  readonly profileIdOf: (hash: string) => string;
  readonly generation: number;
  readonly role: Role;
  readonly floor: number;
}

/** Decides on each component that was touched; keeps and announces what is not as it was. */
function writeDown(graph: BatchGraph, work: LinkerWork, { rules, profileIdOf, generation, role, floor }: Around): void {
  const stamp = { definitions: rules.versions, generation };
  const [ofMappings, ofChanges] = speaksToAll(role)
    ? (['mapping', 'change'] as const)
    : (['ownMapping', 'ownChange'] as const);
  const announce = (change: IdentityChange): void => work.emit(ofChanges, change.profile_id, change, change.decided_at);
  const around = {
    rules,
    profileIdOf,
    floor,
    cut: (hash: string) => graph.cut(hash),
    node: (hash: string) => graph.node(hash),
  };
  const untold = new Set<string>();
  for (const { node, receivedAt } of graph.newNodes()) {
    announce(discovered(node, receivedAt, stamp));
    if (!speaksToAll(role)) untold.add(node.identifier.hash);
  }
  for (const component of graph.components()) {
    const { decider } = component;
    const decision = decide(component, around);
    for (const node of decision.nodes) graph.decided(node);
    for (const { from, to, refused } of decision.marks) graph.marked(from, to, refused);
    for (const move of decision.moved) {
      const mapping = mappingAfter(move, decider, generation, role.edition);
      work.emit(ofMappings, mapping.hash, mapping, mapping.decided_at);
      announce(moved(move, decider, stamp));
    }
    for (const refusal of decision.refused) announce(refused(refusal, decider, stamp));
    for (const one of decision.quarantined) announce(quarantined(one, decider, stamp));
  }
  for (const node of graph.changedNodes()) {
    const { hash } = node.identifier;
    work.put('node', hash, untold.has(hash) ? { ...node, untold: true } : node);
  }
  for (const { from, to, link } of graph.changedLinks()) {
    if (link.claims.length > 0) work.put('link', from + to, link);
    else work.remove('link', from + to);
  }
}

function* linksFrom(work: LinkerWork, from: string) {
  for (const [key, link] of work.scan('link', from)) yield [key.slice(HASH_LENGTH), link] as const;
}

/** The rules in force: those of the newest claim that activates some. They are parsed once. */
function rulesOnce(): (linking: Linking, definitions: Definitions) => Rules {
  let text: string | undefined;
  let rules: Rules | undefined;
  return (linking, definitions) => {
    // An installation from before there were such claims.
    if (linking.rules === null && linking.definitions.length === 0) return rulesIn(definitions);
    const key = JSON.stringify([linking.rules, linking.definitions]);
    if (!rules || text !== key) {
      text = key;
      const body =
        linking.rules === null ? defaultIdentityRules : definitionKinds.identity_rules.parse(JSON.parse(linking.rules));
      rules = rulesOf(body, linking.definitions);
    }
    return rules;
  };
}

function isRules(text: string): boolean {
  try {
    return definitionKinds.identity_rules.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

function remembered<K>(ask: (key: K) => boolean): (key: K) => boolean {
  const known = new Map<K, boolean>();
  return (key) => {
    let answer = known.get(key);
    if (answer === undefined) {
      answer = ask(key);
      known.set(key, answer);
    }
    return answer;
  };
}
