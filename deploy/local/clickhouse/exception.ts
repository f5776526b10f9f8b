/** An error as ClickHouse words it. `code` and `name` are ClickHouse's; clients decide by them. */
export class ClickHouseException extends Error {
  readonly code: number;
  readonly status: number;

  /** @param text the whole line: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)` */
  private constructor(text: string, code: number, status: number) {
    super(text);
    this.code = code;
    this.status = status;
  }

  static of(code: number, name: string, message: string, status = httpStatus(code)): ClickHouseException {
    return new ClickHouseException(`Code: ${code}. DB::Exception: ${message} (${name})`, code, status);
  }

  /** Whatever the engine threw. */
  static from(error: unknown): ClickHouseException {
    if (error instanceof ClickHouseException) return error;
    const text = error instanceof Error ? error.message : String(error);
    const code = Number(/^Code: (\d+)\./.exec(text)?.[1] ?? Number.NaN);
    if (!Number.isNaN(code)) return new ClickHouseException(text.trim(), code, httpStatus(code));
    return ClickHouseException.of(1002, 'UNKNOWN_EXCEPTION', text);
  }
}

const statuses: readonly (readonly [status: number, codes: readonly number[]])[] = [
  // REQUIRED_PASSWORD
  [401, [194]],
  // UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED, SET_NON_GRANTED_ROLE
  [403, [192, 193, 497, 516, 512]],
  // What the sender has written wrongly: columns, literals, syntax, types.
  [400, [6, 8, 15, 25, 26, 27, 36, 38, 41, 44, 53, 56, 62, 72, 117, 168, 167, 223, 321, 376, 427, 441, 675, 676]],
  // UNKNOWN_FUNCTION, _IDENTIFIER, _TYPE, _STORAGE, _TABLE, _AGGREGATE_FUNCTION, _FORMAT, _TYPE_OF_QUERY, _DATABASE, …
  [404, [46, 47, 50, 60, 63, 73, 78, 81, 115, 336, 511]],
  // TIMEOUT_EXCEEDED
  [408, [159]],
  // HTTP_LENGTH_REQUIRED
  [411, [381]],
  // QUERY_IS_TOO_LARGE
  [413, [66]],
  // NOT_IMPLEMENTED
  [501, [48]],
  // CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK, TOO_MANY_SIMULTANEOUS_QUERIES (ours; a server says 500)
  [503, [76, 209, 439, 202]],
];
const statusOf = new Map(statuses.flatMap(([status, codes]) => codes.map((code) => [code, status] as const)));

/** The HTTP status that a ClickHouse server gives an error code. */
export function httpStatus(code: number): number {
  return statusOf.get(code) ?? 500;
}
