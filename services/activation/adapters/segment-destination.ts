import { createRequire } from 'node:module';
import type { DestinationDefinition, JSONObject } from '@segment/actions-core';
import type { DeliveryRequest } from '#schemas/generated/records.ts';
import type { InForce } from '#shared/definitions/definitions.ts';
import type { Answer } from '../core/answer.ts';
import { fieldNamesOf } from '../core/field-names.ts';
import { retryAfterMs } from '../core/retry-after.ts';
import type { Send } from '../destination.ts';

/** The destinations are CommonJS, and must meet the same copy of the core as this file. */
const require = createRequire(import.meta.url);
type Core = typeof import('@segment/actions-core');

/** A larger answer is not read to its end. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_CHARACTERS = 2_000;
const TYPE = /^[a-z0-9][a-z0-9-]*$/;

/** What is seen of one attempt on its way through the library, found again by the attempt's own abort signal. */
interface Attempt {
  readonly idempotencyKey: string;
  payload: unknown;
  response: SeenResponse | undefined;
}
interface SeenResponse {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string | null;
}
interface LibraryResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly content?: string;
  text(): Promise<string>;
  json(): Promise<unknown>;
}
interface LibraryError {
  readonly name?: string;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly status?: unknown;
  readonly message?: unknown;
  readonly response?: LibraryResponse;
}

/** The part of the library's Destination that is used here. */
interface Hosted {
  readonly responses: unknown[];
  executeAction(action: string, input: object): Promise<unknown>;
}
interface Loaded {
  readonly destination: Hosted;
  readonly definition: DestinationDefinition;
}

/**
 * Hosts the destinations of `@segment/action-destinations`. Each is loaded when it is first needed.
 * @param timeoutMs how long one attempt may take
 */
export function segmentDestinations(timeoutMs: number): Send {
  let core: Core | undefined;
  const loaded = new Map<string, Loaded>();
  const attempts = new WeakMap<AbortSignal, Attempt>();

  function loadCore(): Core {
    core ??= require('@segment/actions-core') as Core;
    return core;
  }

  function load(type: string): Loaded {
    const known = loaded.get(type);
    if (known) return known;
    if (!TYPE.test(type)) throw new Unsendable('unknown_destination', 'there is no such destination type');
    let definition: DestinationDefinition;
    try {
      definition = require(`@segment/action-destinations/dist/destinations/${type}`).default;
    } catch (error) {
      if ((error as LibraryError).code !== 'MODULE_NOT_FOUND') throw error;
      throw new Unsendable('unknown_destination', `there is no destination type ${type}`);
    }
    const { Destination } = loadCore();
    const destination = new Destination(observed(definition, attempts)) as unknown as Hosted;
    const one = { definition, destination };
    loaded.set(type, one);
    return one;
  }

  async function execute(request: DeliveryRequest, { body }: InForce<'destination'>, signal: AbortSignal) {
    const { destination, definition } = load(body.type);
    const action = Object.hasOwn(definition.actions, body.action) ? definition.actions[body.action] : undefined;
    if (!action) throw new Unsendable('unknown_action', `${body.type} has no action ${body.action}`);
    // An event is written by whoever has a write key; it must not say where the platform's requests go.
    if (body.type.startsWith('webhook') && typeof body.mapping.url !== 'string')
      throw new Unsendable('invalid_mapping', 'the mapping of a webhook needs a fixed url');
    const { defaultValues, getAuthData } = loadCore();
    await destination.executeAction(body.action, {
      event: JSON.parse(request.event),
      mapping: { ...defaultValues(action.fields), ...preset(definition, body), ...body.mapping } as JSONObject,
      settings: body.settings as JSONObject,
      auth: getAuthData(body.settings as JSONObject),
      features: {},
      signal,
    });
  }

  return async (request, inForce, stop) => {
    stop.throwIfAborted();
    const attempt: Attempt = { idempotencyKey: request.idempotency_key, payload: undefined, response: undefined };
    const controller = new AbortController();
    attempts.set(controller.signal, attempt);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      controller.abort();
    }, timeoutMs);
    const onStop = (): void => controller.abort();
    stop.addEventListener('abort', onStop, { once: true });
    const clean = (text: string | null): string | null => text && withoutSecrets(text, inForce.body.settings);
    try {
      // Not every destination passes the signal on, so none is waited for longer than it.
      const aborted = new Promise<never>((_, reject) => {
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
      });
      const executed = execute(request, inForce, controller.signal);
      executed.catch(() => undefined);
      await Promise.race([executed, aborted]);
      const { response } = attempt;
      return {
        kind: 'accepted',
        status: response?.status ?? null,
        body: clean(response?.body ?? null),
        fields: fieldNamesOf(attempt.payload),
      };
    } catch (error) {
      stop.throwIfAborted();
      const fields = fieldNamesOf(attempt.payload);
      if (timedOut) return { kind: 'timed_out', fields };
      const answer = answerOf(error as LibraryError, attempt.response);
      if (answer.kind === 'declined') return { ...answer, body: clean(answer.body), fields };
      if (answer.kind === 'unsendable') return { ...answer, message: clean(answer.message) ?? '', fields };
      return { ...answer, fields };
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      const known = loaded.get(inForce.body.type);
      // The library keeps every response that it ever saw.
      if (known) known.destination.responses.length = 0;
    }
  };
}

/** Our own refusal to send. */
class Unsendable extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The mapping that the destination itself suggests for the action, where the definition gives none. */
function preset(definition: DestinationDefinition, body: InForce<'destination'>['body']): object {
  if (Object.keys(body.mapping).length > 0) return {};
  const presets = (definition.presets ?? []).filter((one) => one.partnerAction === body.action && 'mapping' in one);
  const same = presets.find((one) => 'subscribe' in one && one.subscribe === body.subscribe);
  return (same ?? presets[0])?.mapping ?? {};
}

/** The definition with our own view of what goes out and what comes back. */
function observed(definition: DestinationDefinition, attempts: WeakMap<AbortSignal, Attempt>): DestinationDefinition {
  return {
    ...definition,
    extendRequest: (data) => {
      const attempt = data.signal && attempts.get(data.signal);
      const own: ReturnType<NonNullable<typeof definition.extendRequest>> & {
        readonly afterResponse?: readonly unknown[];
      } = definition.extendRequest?.(data) ?? {};
      if (!attempt) return own;
      attempt.payload = data.payload;
      return {
        // A redirected POST would arrive as a GET without its body, and take the signature to another host.
        redirect: 'manual',
        size: MOST_ANSWER_BYTES,
        // A cloned answer above 16 kB never ends, and ends the process when it is aborted.
        skipResponseCloning: true,
        ...own,
        headers: { 'X-Idempotency-Key': attempt.idempotencyKey, ...own.headers },
        afterResponse: [
          ...(own.afterResponse ?? []),
          (_request: unknown, _options: unknown, response: LibraryResponse) => {
            const content = response.content ?? '';
            attempt.response = {
              status: response.status,
              retryAfter: response.headers.get('retry-after'),
              body: content.slice(0, ANSWER_CHARACTERS),
            };
            // The body was read for us; whoever asks again gets the same.
            Object.assign(response, {
              text: () => Promise.resolve(content),
              json: async () => JSON.parse(content) as unknown,
            });
            return response;
          },
        ],
      } as ReturnType<NonNullable<DestinationDefinition['extendRequest']>>;
    },
  };
}

type Failure =
  | Omit<Extract<Answer, { kind: 'declined' }>, 'fields'>
  | Omit<Extract<Answer, { kind: 'unreachable' }>, 'fields'>
  | Omit<Extract<Answer, { kind: 'timed_out' }>, 'fields'>
  | Omit<Extract<Answer, { kind: 'unsendable' }>, 'fields'>;

/** What the library's errors mean. Messages of network errors hold the URL, so only their codes are kept. */
function answerOf(error: LibraryError, seen: SeenResponse | undefined): Failure {
  const { name, code, type, status } = error;
  const message = typeof error.message === 'string' ? error.message : 'unknown error';
  if (error instanceof Unsendable) return { kind: 'unsendable', reason: error.reason, message };
  if (name === 'AggregateAjvError' || name === 'ValidationError' || code === 'PAYLOAD_VALIDATION_FAILED')
    return { kind: 'unsendable', reason: 'invalid_payload', message };
  if (code === 'REQUESTTIMEOUTERROR' || code === 'ETIMEDOUT' || type === 'request-timeout' || type === 'body-timeout')
    return { kind: 'timed_out' };
  if (type === 'system' || type === 'aborted' || (name === 'FetchError' && typeof code === 'string'))
    return { kind: 'unreachable', code: typeof code === 'string' ? code : 'unknown' };
  if (type === 'max-size')
    return {
      kind: 'unsendable',
      reason: 'answer_too_large',
      message: `the answer has more than ${MOST_ANSWER_BYTES} bytes`,
    };
  const answered = error.response?.status ?? (typeof status === 'number' ? status : undefined);
  if (answered !== undefined) {
    const matching = seen?.status === answered ? seen : undefined;
    return {
      kind: 'declined',
      status: answered,
      body: matching ? matching.body : message,
      retryAfterMs: retryAfterMs(matching?.retryAfter ?? null, Date.now()),
    };
  }
  return { kind: 'unsendable', reason: 'destination_error', message: `${name ?? 'Error'}: ${message}` };
}

const SHORTEST_SECRET = 6;

/** The text without any value of the settings: an answer may repeat what it was given. */
function withoutSecrets(text: string, settings: unknown): string {
  if (typeof settings === 'string')
    return settings.length >= SHORTEST_SECRET ? text.replaceAll(settings, '[redacted]') : text;
  if (typeof settings !== 'object' || settings === null) return text;
  return Object.values(settings).reduce<string>(withoutSecrets, text);
}
