import { expect, test } from 'vitest';
import { audienceQueryIn } from './audience-query.ts';

const by = (type: string, value: string) => ({ by: 'identifier', type, value });
const rest = '{edges {node {name state}}}}}';

test.each([
  [
    'query {customer(fs_user_id : "u") {audiences(subset: ["a"]) {edges {node {name state}}}}}',
    { reference: by('user_id', 'u'), subset: ['a'] },
  ],
  [
    'query MyQuery {\n customer(vuid: "d6\\"6\\u00e9") {\n audiences(subset:["a","b"]) {\n edges {\n node {\n name\n state } } } }\n}\n',
    { reference: by('anonymous_id', 'd6"6é'), subset: ['a', 'b'] },
  ],
  [
    `query($userId: String, $audiences: [String]) {customer(fs_user_id: $userId) {audiences(subset: $audiences) ${rest}`,
    { reference: by('user_id', 'in a variable'), subset: ['c'] },
  ],
  [`query {customer(email: "a@b.co") {audiences(subset: []) ${rest}`, { reference: by('email', 'a@b.co'), subset: [] }],
])('%s', (query, asked) => {
  expect(audienceQueryIn(query, { userId: 'in a variable', audiences: ['c'] })).toEqual(asked);
});

test.each([
  '',
  'query',
  'query {customer',
  'mutation {customer(fs_user_id: "u") {audiences(subset: ["a"]) {edges {node {name state}}}}}',
  `query {customer(toString: "u") {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: "") {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: 7) {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: $nobody) {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: $__proto__) {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: "u") {audiences(subset: ["a" ${rest}`,
  `query {customer(fs_user_id: "u") {audiences(subset: "a") ${rest}`,
  `query {customer(fs_user_id: "u") {audiences(subset: ["a"]) ${rest} {`,
  `query {customer(fs_user_id: "u\\x") {audiences(subset: ["a"]) ${rest}`,
  `query {customer(fs_user_id: "u") {audiences(subset: ["a"]) {edges {node {name state description}}}}}`,
  `{__schema {types {name}}}`,
  '"'.repeat(10_000),
])('is another query: %s', (query) => {
  expect(audienceQueryIn(query, { audiences: [7] })).toBeUndefined();
});
