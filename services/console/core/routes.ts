import { z } from 'zod';
import * as answers from './answers.ts';
import { audienceQueryIn } from './audience-query.ts';
import { cursor, limit, type Parameters, reference, required, time, type Values, whole } from './parameters.ts';
import { Problem } from './problem.ts';
import type { Question } from './question.ts';
import type { Reference } from './reference.ts';
import type { Scope } from './scopes.ts';

/** What stands at an address. The router and the document of the API are both made from these, so that they cannot part. */
export interface Route {
  readonly part: Question['part'];
  readonly method: 'GET' | 'POST';
  /** `{profile}` stands for a reference. */
  readonly path: string;
  readonly summary: string;
  /** All of them are needed. */
  readonly scopes: readonly Scope[];
  readonly parameters: Parameters;
  readonly body: { readonly schema: z.ZodType; readonly most: number } | undefined;
  readonly answer: z.ZodType;
  readonly type: 'application/json' | 'text/event-stream';
  /** Whether it says by an ETag what it has answered. */
  readonly tagged: boolean;
  /** @throws Problem */
  readonly question: (asked: Asked<Parameters, unknown>) => Question;
}

interface Asked<P extends Parameters, B> {
  /** Of the path; only where it has one. */
  readonly reference: Reference;
  readonly parameters: Values<P>;
  readonly body: B;
}

const MOST_PROFILES = 100;
/** Identifiers have at most some hundred characters. */
const MOST_BODY_BYTES = 256 * 1024;

type Rest<P extends Parameters, B> = Omit<Partial<Route>, 'question' | 'parameters' | 'body'> & {
  readonly parameters?: P;
  readonly body?: z.ZodType<B>;
  readonly answer: z.ZodType;
  readonly summary: string;
  readonly question: (asked: Asked<P, B>) => Question;
};

function route<const P extends Parameters = Record<never, never>, B = undefined>(
  part: Question['part'],
  path: string,
  scopes: readonly Scope[],
  { parameters, body, question, ...rest }: Rest<P, B>,
): Route {
  return {
    method: 'GET',
    type: 'application/json',
    tagged: false,
    ...rest,
    part,
    path,
    scopes,
    parameters: parameters ?? {},
    body: body && { schema: body, most: MOST_BODY_BYTES },
    question: question as Route['question'],
  };
}

const at = time('as it was known then; without it, as it is');
const PROFILE = '/v1/profiles/{profile}';

/** The more exact path first. */
export const routes: readonly Route[] = [
  route('batch', '/v1/profiles/batch', ['profiles:read'], {
    method: 'POST',
    summary: 'Up to 100 profiles',
    body: z.object({
      profiles: z
        .array(z.string())
        .max(MOST_PROFILES, `at most ${MOST_PROFILES}`)
        .meta({ example: ['user_id:42'] }),
    }),
    answer: answers.batch,
    question: ({ body }) => ({ part: 'batch', profiles: body.profiles }),
  }),
  route('profile', PROFILE, ['profiles:read'], {
    summary: 'The whole profile',
    parameters: { at },
    answer: answers.profile,
    tagged: true,
    question: ({ reference: of, parameters }) => ({ part: 'profile', reference: of, at: parameters.at }),
  }),
  route('traits', `${PROFILE}/traits`, ['profiles:read'], {
    summary: 'Traits, and the event that each came from',
    parameters: { at },
    answer: answers.traits,
    tagged: true,
    question: ({ reference: of, parameters }) => ({ part: 'traits', reference: of, at: parameters.at }),
  }),
  route('computed', `${PROFILE}/computed`, ['profiles:read'], {
    summary: 'Computed traits, and the version of the definition that each follows',
    parameters: { at },
    answer: answers.computed,
    tagged: true,
    question: ({ reference: of, parameters }) => ({ part: 'computed', reference: of, at: parameters.at }),
  }),
  route('consents', `${PROFILE}/consents`, ['profiles:read'], {
    summary: 'What was allowed or denied',
    parameters: { at },
    answer: answers.consents,
    tagged: true,
    question: ({ reference: of, parameters }) => ({ part: 'consents', reference: of, at: parameters.at }),
  }),
  route('identifiers', `${PROFILE}/identifiers`, ['profiles:read'], {
    summary: 'Identifiers, with hash and mapping version (0: in its default profile)',
    answer: answers.identifiers,
    tagged: true,
    question: ({ reference: of }) => ({ part: 'identifiers', reference: of }),
  }),
  route('events', `${PROFILE}/events`, ['events:read'], {
    summary: 'Its events, newest first',
    parameters: { limit, before: time('only those received before'), cursor: cursor('events') },
    answer: answers.events,
    question: ({ reference: of, parameters: { cursor: after, ...page } }) => ({
      part: 'events',
      reference: of,
      page: { ...page, after },
    }),
  }),
  route('history', `${PROFILE}/history`, ['profiles:read', 'identity:read'], {
    summary: 'Its versions, newest first, and what happened to its identifiers',
    parameters: { limit, before: whole('only versions before this one'), cursor: cursor('history') },
    answer: answers.history,
    question: ({ reference: of, parameters: { cursor: after, ...page } }) => ({
      part: 'history',
      reference: of,
      page: { ...page, after },
    }),
  }),
  route('explain', `${PROFILE}/explain`, ['identity:read'], {
    summary: 'Why two identifiers are one profile, or are not',
    parameters: { with: required(reference('the other identifier'), 'type:value') },
    answer: answers.explanation,
    question: ({ reference: of, parameters }) => ({ part: 'explain', reference: of, other: parameters.with }),
  }),
  route('graph', `${PROFILE}/graph`, ['identity:read'], {
    summary: 'Identifiers, the links among and around them, what is blocked and kept apart',
    answer: answers.graph,
    question: ({ reference: of }) => ({ part: 'graph', reference: of }),
  }),
  route('as-of', `${PROFILE}/as-of`, ['identity:read'], {
    summary: 'Profile and identifiers as they were decided then',
    parameters: { time: required(time('when'), '2026-01-31T12:00:00Z') },
    answer: answers.asOf,
    question: ({ reference: of, parameters }) => ({ part: 'as-of', reference: of, time: parameters.time }),
  }),
  route('where', `${PROFILE}/where`, ['identity:read'], {
    summary: 'Where something of this person is kept',
    answer: answers.where,
    question: ({ reference: of }) => ({ part: 'where', reference: of }),
  }),
  route('health', '/v1/identity/health', ['identity:read'], {
    summary: 'How identities are',
    answer: answers.health,
    question: () => ({ part: 'health' }),
  }),
  // It tells of events, profiles and identities.
  route('live', '/v1/live', ['profiles:read', 'events:read', 'identity:read'], {
    summary: 'What passes from now on, for as long as the connection holds',
    type: 'text/event-stream',
    answer: answers.live,
    question: () => ({ part: 'live' }),
  }),
  route('audiences', '/v3/graphql', ['audiences:read'], {
    method: 'POST',
    summary: 'The one query of Optimizely’s SDKs',
    body: z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()).nullish() }),
    answer: answers.audiences,
    question: ({ body: { query, variables } }) => {
      const asked = audienceQueryIn(query, variables ?? {});
      if (!asked)
        throw new Problem(
          400,
          'invalid_query',
          'only this is answered: query {customer(fs_user_id: "…") {audiences(subset: ["…"]) {edges {node {name state}}}}}',
        );
      return { part: 'audiences', ...asked };
    },
  }),
  route('document', '/v1/openapi.json', [], {
    summary: 'This document',
    answer: answers.document,
    tagged: true,
    question: () => ({ part: 'document' }),
  }),
];
