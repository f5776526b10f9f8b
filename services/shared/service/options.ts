/** One setting: an environment variable and the flag of the same name (`TRIBUTARY_KAFKA_BROKERS`, `--kafka-brokers`). */
export interface Option<T = unknown> {
  readonly env: string;
  readonly doc: string;
  /** Shown in `--help`; undefined: must be set. */
  readonly default: string | undefined;
  /** @throws Error saying what is wrong with the text. */
  readonly parse: (text: string) => T;
}
export type Options = Readonly<Record<string, Option>>;
export type Values<O extends Options> = { readonly [K in keyof O]: ReturnType<O[K]['parse']> };

const option =
  <T>(parse: (text: string) => T) =>
  (env: string, doc: string, fallback?: string): Option<T> => ({
    env: `TRIBUTARY_${env}`,
    doc,
    default: fallback,
    parse,
  });

export const text = option((value) => value);
export const list = option((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
);
export const lines = option((value) => value.split('\n').filter(Boolean));
export const flag = option((value) => {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0' || value === '') return false;
  throw new Error('must be true or false');
});
export const port = option((value) => whole(value, 0, 65_535));
export const count = option((value) => whole(value, 0, Number.MAX_SAFE_INTEGER));

/** One of these words. */
export const oneOf = <const W extends string>(words: readonly W[], env: string, doc: string, fallback?: string) =>
  option((value): W => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return word;
  })(env, doc, fallback);

function whole(value: string, least: number, most: number): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < least || number > most)
    throw new Error(`must be a whole number from ${least} to ${most}`);
  return number;
}

const flagOf = (env: string): string => `--${env.slice('TRIBUTARY_'.length).toLowerCase().replaceAll('_', '-')}`;

/** The text that `--help` prints. */
export function helpText(title: string, options: Options): string {
  const lines = Object.values(options).map(({ env, doc, default: fallback }) => {
    const given = fallback === undefined ? 'required' : `default ${fallback === '' ? 'none' : fallback}`;
    return `  ${env}  ${flagOf(env)}\n      ${doc} (${given})`;
  });
  return `${title}\n\nSettings, as environment variables or flags:\n${lines.join('\n')}\n`;
}

/** Reads all settings. All mistakes are reported together. */
export function readOptions<O extends Options>(
  options: O,
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): { readonly values: Values<O> } | { readonly errors: readonly string[] } {
  const flags = new Map<string, string>();
  const errors: string[] = [];
  const known = new Set(Object.values(options).map((option) => flagOf(option.env)));
  for (let i = 0; i < argv.length; i++) {
    const [name, inline] = (argv[i] as string).split(/=(.*)/s, 2) as [string, string | undefined];
    if (!known.has(name)) errors.push(`${name}: no such flag`);
    else flags.set(name, inline ?? argv[++i] ?? '');
  }
  const values: Record<string, unknown> = {};
  for (const [key, { env: variable, parse, default: fallback }] of Object.entries(options)) {
    const given = flags.get(flagOf(variable)) ?? env[variable] ?? fallback;
    if (given === undefined) {
      errors.push(`${variable} is not set`);
      continue;
    }
    try {
      values[key] = parse(given);
    } catch (error) {
      errors.push(`${variable} ${error instanceof Error ? error.message : 'is not valid'}: ${JSON.stringify(given)}`);
    }
  }
  return errors.length > 0 ? { errors } : { values: values as Values<O> };
}
