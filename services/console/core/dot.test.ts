import { expect, test } from 'vitest';
import { type DrawnGraph, dotOf } from './dot.ts';

const identifier = (name: string, hash: string, profile_id = 'p', blocked = false) => ({
  identifier: name,
  hash: hash.repeat(32),
  profile_id,
  blocked,
});
const link = { accepted: true, refused: null, kind: 'observed', claims: 1 };
const graph: DrawnGraph = {
  profile_id: 'p',
  identifiers: [identifier('user_id:a"\\', 'a'), identifier('email:b@c.de', 'b')],
  neighbours: [identifier('user_id:x', 'c', 'q', true)],
  links: [
    { ...link, from: 'user_id:a"\\', to: 'email:b@c.de', claims: 2 },
    { ...link, from: 'email:b@c.de', to: 'user_id:x', accepted: false, refused: 'limit:user_id' },
  ],
  apart: [{ from: 'user_id:a"\\', to: 'user_id:x', actor: 'ann' }],
};

test('a graph is written in Graphviz’s language, with whatever is in a name', () => {
  expect(dotOf(graph, (name) => name)).toBe(`graph identity {
  node [shape=box];
  subgraph cluster_0 {
    label="p"; style=bold;
    "aaaaaaaaaaaa" [label="user_id:a\\"\\\\"];
    "bbbbbbbbbbbb" [label="email:b@c.de"];
  }
  subgraph cluster_1 {
    label="q"; style=dotted;
    "cccccccccccc" [label="user_id:x" color=red];
  }
  "aaaaaaaaaaaa" -- "bbbbbbbbbbbb" [label="observed ×2"];
  "bbbbbbbbbbbb" -- "cccccccccccc" [label="limit:user_id" style=dashed color=red];
  "aaaaaaaaaaaa" -- "cccccccccccc" [label="kept apart by ann" style=dotted color=red];
}`);
});

test('identifiers that look the same when they are masked stay different', () => {
  const dot = dotOf(graph, () => 'x…y');
  expect(dot.match(/label="x…y"/g)).toHaveLength(3);
  expect(dot).toContain('"aaaaaaaaaaaa" -- "bbbbbbbbbbbb"');
});
