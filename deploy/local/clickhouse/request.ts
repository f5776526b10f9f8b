import { ClickHouseException } from './exception.ts';

/** What a request asks for, besides its body. */
export interface ClickHouseRequest {
  readonly query: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string | undefined;
  readonly format: string | undefined;
  readonly queryId: string | undefined;
  readonly session: { readonly id: string; readonly seconds: number; readonly mustExist: boolean } | undefined;
  /** Settings of the engine and `param_…`, as they are written in the URL. */
  readonly settings: ReadonlyMap<string, string>;
  readonly waitForEnd: boolean;
  readonly compress: boolean;
}

export interface Headers {
  readonly [name: string]: string | string[] | undefined;
}

/** Parameters that the HTTP interface answers itself, or that mean nothing to an engine without a network. */
const ownParameters = new Set([
  'query',
  'user',
  'password',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'close_session',
  'quota_key',
  'role',
  'stacktrace',
  'wait_end_of_query',
  'buffer_size',
  'compress',
  'decompress',
  'client_protocol_version',
  'enable_http_compression',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_zlib_compression_level',
  'http_response_buffer_size',
  'http_native_compression_disable_checksumming_on_decompress',
  'add_http_cors_header',
  'cancel_http_readonly_queries_on_client_close',
]);

const header = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** @throws ClickHouseException when the request is not one that this server can answer. */
export function readRequest(url: URL, headers: Headers): ClickHouseRequest {
  const given = url.searchParams;
  const isOn = (name: string) => ['1', 'true'].includes(given.get(name) ?? '');
  if (isOn('compress') || isOn('decompress')) {
    const message = 'Compressed blocks of the native protocol are not supported here; use gzip (Accept-Encoding)';
    throw ClickHouseException.of(48, 'NOT_IMPLEMENTED', message);
  }
  if (/^multipart\//.test(header(headers, 'content-type') ?? ''))
    throw ClickHouseException.of(48, 'NOT_IMPLEMENTED', 'External tables (multipart) are not supported here');
  const settings = new Map<string, string>();
  for (const [name, value] of given) {
    if (ownParameters.has(name)) continue;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw ClickHouseException.of(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
    settings.set(name, value);
  }
  const sessionId = given.get('session_id');
  return {
    query: given.get('query') ?? undefined,
    ...credentials(given, headers),
    database: given.get('database') ?? header(headers, 'x-clickhouse-database'),
    format: given.get('default_format') ?? header(headers, 'x-clickhouse-format'),
    queryId: given.get('query_id') ?? header(headers, 'x-clickhouse-query-id'),
    session: sessionId
      ? {
          id: sessionId,
          seconds: Math.min(3600, Number(given.get('session_timeout') ?? 60) || 60),
          mustExist: isOn('session_check'),
        }
      : undefined,
    settings,
    waitForEnd: isOn('wait_end_of_query'),
    compress: isOn('enable_http_compression'),
  };
}

function credentials(given: URLSearchParams, headers: Headers): { user: string; password: string } {
  const authorization = header(headers, 'authorization');
  const basic = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [user, password] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s, 2);
    return { user: user ?? '', password: password ?? '' };
  }
  return {
    user: header(headers, 'x-clickhouse-user') ?? given.get('user') ?? 'default',
    password: header(headers, 'x-clickhouse-key') ?? given.get('password') ?? '',
  };
}

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const name = (text: string): string => `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** What a connection is to be set to. */
export interface Wishes {
  readonly database: string | undefined;
  /** By name; undefined: the engine's default. */
  readonly settings: ReadonlyMap<string, string | undefined>;
}

/** What a request wishes for its one statement. */
export function wishesOf(
  { database, settings: given }: ClickHouseRequest,
  method: string,
  defaults: Readonly<Record<string, string>>,
): Wishes {
  const settings = new Map([...Object.entries(defaults), ...given]);
  const readonly = settings.get('readonly') ?? '0';
  settings.delete('readonly');
  // A GET must not change anything.
  const level = readonly !== '0' && readonly !== '' ? readonly : method === 'POST' ? '0' : '2';
  if (level !== '0') settings.set('readonly', level);
  return { database, settings };
}

/** Names of parameters that are set. */
export const parametersIn = ({ settings }: Wishes): string[] =>
  [...settings.keys()].filter((setting) => setting.startsWith('param_')).map((setting) => setting.slice(6));

/** The statements that fulfil wishes, before a request's own statement. */
export function statementsFor({ database, settings }: Wishes): string[] {
  const statements: string[] = [];
  if (database) statements.push(`USE ${name(database)}`);
  // A value behind `param_` is already escaped as ClickHouse wants it; SET takes the same text as a literal.
  const assignments = [...settings]
    .filter(([setting]) => setting !== 'readonly')
    .map(([setting, value]) => `${setting} = ${value === undefined ? 'DEFAULT' : literal(value)}`);
  if (assignments.length > 0) statements.push(`SET ${assignments.join(', ')}`);
  // Last, since nothing can be set behind it.
  const readonly = settings.get('readonly');
  if (readonly !== undefined) statements.push(`SET readonly = ${literal(readonly)}`);
  return statements;
}

/** Asks for what wishes will replace; the answer, in JSONEachRow, is for `undoing`. */
export const askBefore = ({ settings }: Wishes): string =>
  `SELECT 'database' AS name, currentDatabase() AS value, true AS changed UNION ALL
  SELECT name, value, changed = 1 FROM system.settings WHERE name IN (${['', ...settings.keys()].map(literal).join(', ')})`;

/** The statements that set a connection back to what `askBefore` has found. Parameters stay: nothing unsets one. */
export function undoing(answer: string): string[] {
  const rows = answer
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { name: string; value: string; changed: boolean });
  const settings = new Map(rows.map(({ name, value, changed }) => [name, changed ? value : undefined]));
  const database = settings.get('database');
  settings.delete('database');
  const back = statementsFor({ database, settings });
  // First, since nothing can be set before it.
  return settings.has('readonly') ? ['SET readonly = DEFAULT', ...back] : back;
}
