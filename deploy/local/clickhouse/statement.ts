/** What the HTTP interface must know of a statement before the engine sees it. */
export interface Statement {
  /** First keyword, upper case; empty when there is no statement. */
  readonly verb: string;
  /** The format that the statement names for its result or its data. */
  readonly format: string | undefined;
  /** INSERT with data behind it: where the data begins (a byte offset), and what completes the statement before it. */
  readonly data: { readonly start: number; readonly complete: string } | undefined;
  /** Offset of a second statement. */
  readonly second: number | undefined;
  /** It names a file of the server to write to. */
  readonly intoOutfile: boolean;
  /** An INSERT that reads its data through the function `input`. */
  readonly readsInput: boolean;
  /** Names of the query parameters that it uses: `{name:Type}`. */
  readonly parameters: ReadonlySet<string>;
}

interface Token {
  /** Upper case for words; the character itself for signs; `''` for strings and quoted names. */
  readonly text: string;
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly depth: number;
}

/**
 * Reads a statement just far enough. The text is Latin-1 of the bytes, so that offsets are bytes; whatever ClickHouse gives
 * a meaning is ASCII.
 */
export function readStatement(text: string): Statement {
  const tokens: Token[] = [];
  let second: number | undefined;
  let data: Statement['data'];
  let sawSelect = false;
  for (const token of lex(text)) {
    if (tokens.length > 0 && tokens.at(-1)?.text === ';') {
      second = token.start;
      break;
    }
    tokens.push(token);
    const verb = tokens[0]?.text;
    if (verb !== 'INSERT') continue;
    const before = tokens.at(-2);
    if (token.depth === 0 && (token.text === 'SELECT' || token.text === 'WITH' || token.text === 'WATCH'))
      sawSelect = true;
    if (before?.text === 'FORMAT' && before.depth === 0 && token.word !== '' && (!sawSelect || readsInput(tokens))) {
      data = { start: afterBlank(text, token.end), complete: '' };
      break;
    }
    if (token.text === 'VALUES' && token.depth === 0 && !sawSelect && tokens.length > 2) {
      data = { start: token.end, complete: '' };
      break;
    }
  }
  const words = tokens.filter((token) => token.depth === 0);
  const verb = tokens[0]?.text ?? '';
  const formatAt = words.findLastIndex(
    (token, i) =>
      i > 0 &&
      token.text === 'FORMAT' &&
      !!words[i + 1]?.word &&
      [undefined, ';', 'SETTINGS'].includes(words[i + 2]?.text),
  );
  const format = formatAt < 0 ? undefined : words[formatAt + 1]?.word;
  if (verb === 'INSERT' && data === undefined && !sawSelect && second === undefined) {
    const end = tokens.at(-1)?.text === ';' ? (tokens.at(-1) as Token).start : text.length;
    data = { start: end, complete: ' FORMAT Values' };
  }
  return {
    verb,
    format: format ?? (data ? 'Values' : undefined),
    data,
    second,
    intoOutfile: words.some((token, i) => token.text === 'INTO' && words[i + 1]?.text === 'OUTFILE'),
    readsInput: verb === 'INSERT' && readsInput(tokens),
    parameters: new Set(
      tokens
        .filter(({ word }, i) => word !== '' && tokens[i - 1]?.text === '{' && tokens[i + 1]?.text === ':')
        .map(({ word }) => word),
    ),
  };
}

const readsInput = (tokens: readonly Token[]): boolean =>
  tokens.some((token, i) => token.text === 'INPUT' && tokens[i + 1]?.text === '(');

/** Data begin behind the blanks after the format's name, and at most one line end. */
function afterBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] === ' ' || text[at] === '\t' || text[at] === '\f')) at++;
  if (text[at] === ';') at++;
  if (text[at] === '\r') at++;
  if (text[at] === '\n') at++;
  return at;
}

const blankOrComment = /(?:\s+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/y;
const quoted = /'(?:[^'\\]|\\[\s\S]|'')*'?|"(?:[^"\\]|\\[\s\S]|"")*"?|`(?:[^`\\]|\\[\s\S]|``)*`?/y;
const hereDoc = /\$(\w*)\$[\s\S]*?\$\1\$/y;
const word = /[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_.]*/y;

function* lex(text: string): Generator<Token> {
  let depth = 0;
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const blank = match(blankOrComment);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const string = match(quoted) ?? match(hereDoc);
    const name = string === undefined ? match(word) : undefined;
    const raw = string ?? name ?? (text[at] as string);
    if (raw === ')' || raw === ']' || raw === '}') depth--;
    yield {
      text: string === undefined ? raw.toUpperCase() : '',
      word: name ?? '',
      start: at,
      end: at + raw.length,
      depth,
    };
    if (raw === '(' || raw === '[' || raw === '{') depth++;
    at += raw.length;
  }
}
