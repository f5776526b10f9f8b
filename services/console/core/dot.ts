/** What of a graph's answer is drawn. */
export interface DrawnGraph {
  readonly profile_id: string;
  readonly identifiers: readonly DrawnIdentifier[];
  readonly neighbours: readonly DrawnIdentifier[];
  readonly links: readonly {
    readonly from: string;
    readonly to: string;
    readonly accepted: boolean;
    readonly refused: string | null;
    readonly kind: string;
    readonly claims: number;
  }[];
  readonly apart: readonly { readonly from: string; readonly to: string; readonly actor: string }[];
}

interface DrawnIdentifier {
  readonly identifier: string;
  readonly hash: string;
  readonly profile_id: string;
  readonly blocked: boolean;
}

/** Inside a quoted text of Graphviz. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', ' ')}"`;

/**
 * The profile and its neighbours in Graphviz's language: a box for each profile; refused links dashed.
 * @param shown how a name is shown; nodes are told apart by hash, so that masked names may be equal
 */
export function dotOf(graph: DrawnGraph, shown: (name: string) => string): string {
  const everybody = [...graph.identifiers, ...graph.neighbours];
  const node = new Map(everybody.map(({ identifier, hash }) => [identifier, quoted(hash.slice(0, 12))]));
  const profiles = Map.groupBy(everybody, ({ profile_id }) => profile_id);
  const clusters = [...profiles].flatMap(([profile, members], i) => [
    `  subgraph cluster_${i} {`,
    `    label=${quoted(profile)}; style=${profile === graph.profile_id ? 'bold' : 'dotted'};`,
    ...members.map(
      ({ identifier, blocked }) =>
        `    ${node.get(identifier)} [label=${quoted(shown(identifier))}${blocked ? ' color=red' : ''}];`,
    ),
    '  }',
  ]);
  const edge = (from: string, to: string, label: string, style: string): string[] =>
    node.has(from) && node.has(to) ? [`  ${node.get(from)} -- ${node.get(to)} [label=${quoted(label)}${style}];`] : [];
  return [
    'graph identity {',
    '  node [shape=box];',
    ...clusters,
    ...graph.links.flatMap(({ from, to, accepted, refused, kind, claims }) =>
      accepted
        ? edge(from, to, claims > 1 ? `${kind} ×${claims}` : kind, '')
        : edge(from, to, refused ?? 'not linked', ' style=dashed color=red'),
    ),
    ...graph.apart.flatMap(({ from, to, actor }) =>
      edge(from, to, `kept apart by ${actor}`, ' style=dotted color=red'),
    ),
    '}',
  ].join('\n');
}
