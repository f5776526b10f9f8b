import { parametersIn, referenceIn } from './parameters.ts';
import { Problem } from './problem.ts';
import type { IdentityQuestion, Question } from './question.ts';
import { type Route, routes } from './routes.ts';

const identityParts: ReadonlySet<string> = new Set(['explain', 'graph', 'as-of', 'where', 'health']);

export const isAboutIdentity = (question: Question): question is IdentityQuestion => identityParts.has(question.part);

/** Where a request has come to. */
export interface Arrival {
  readonly route: Route;
  /** @param body its bytes, where the route takes some. @throws Problem */
  readonly question: (body: Uint8Array | undefined) => Question;
}

const places = routes.map((route) => ({ route, steps: route.path.split('/') }));
const partsOfProfiles = places.flatMap(({ steps: [, , , profile, part] }) =>
  profile === '{profile}' && part ? [part] : [],
);

/** @param target path and query of the request, as sent. @throws Problem */
export function arrivalOf(method: string, target: string): Arrival {
  const [path = '', search = ''] = target.split(/\?(.*)/s, 2);
  const steps = path.split('/');
  const here = places.find(
    (place) =>
      place.steps.length === steps.length &&
      place.steps.every((step, i) => (step === '{profile}' ? steps[i] !== '' : step === steps[i])),
  );
  if (!here) {
    const isProfile = steps.length === 5 && path.startsWith('/v1/profiles/');
    const what = isProfile ? `a profile has ${partsOfProfiles.join(', ')}` : 'there is nothing at this address';
    throw new Problem(404, 'no_such_route', what);
  }
  const { route } = here;
  if (method !== route.method && !(method === 'HEAD' && route.method === 'GET')) {
    const allow = route.method === 'GET' ? 'GET, HEAD' : route.method;
    throw new Problem(405, 'method_not_allowed', `only ${route.method} is answered`, { allow });
  }
  const written = steps[here.steps.indexOf('{profile}')];
  return {
    route,
    question: (body) => {
      const reference = written === undefined ? undefined : referenceIn(decoded(written), 'the profile');
      const asked = { parameters: parametersIn(search, route.parameters), body: bodyIn(body, route) };
      return route.question({ ...asked, reference: reference as NonNullable<typeof reference> });
    },
  };
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    throw new Problem(400, 'invalid_identifier', 'the identifier is not URL-encoded');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function bodyIn(bytes: Uint8Array | undefined, { body }: Route): unknown {
  if (!body) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(utf8.decode(bytes));
  } catch {
    throw new Problem(400, 'invalid_body', 'the body is no JSON');
  }
  const read = body.schema.safeParse(content);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const place = issue && issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ` : '';
  throw new Problem(400, 'invalid_body', `${place}${issue?.message ?? 'is not what is asked for'}`);
}
