import { apply, definitions, diff } from './commands/definitions.ts';
import { digest } from './commands/digest.ts';
import { doctor } from './commands/doctor.ts';
import { deliveries, event, rejected } from './commands/events.ts';
import { asOf, explain, graph, health, identity, where } from './commands/identity.ts';
import { block, link, restore, unlink, withdraw } from './commands/identity-decisions.ts';
import { rulesDiff, rulesShow } from './commands/identity-rules.ts';
import { importFile } from './commands/import.ts';
import { profile } from './commands/profiles.ts';
import { replay, replayDrop, replayList, replayResume, replaySwitch } from './commands/replay.ts';
import { replayCompare } from './commands/replay-compare.ts';
import { status } from './commands/status.ts';
import { tail } from './commands/tail.ts';
import { invocationOf, settingsHelp } from './config.ts';
import { Connections } from './connections.ts';
import type { Output, Speech } from './output.ts';
import { Trouble } from './trouble.ts';

interface Command {
  readonly usage: string;
  readonly does: string;
  /** Undefined: it has said all it had to say. */
  readonly run: (connections: Connections, words: readonly string[], speech: Speech) => Promise<Output | undefined>;
}

const commands: Readonly<Record<string, Command>> = {
  apply: { usage: 'apply FILE', does: 'puts the definitions of a file in force (--reason WHY)', run: apply },
  diff: { usage: 'diff FILE', does: 'shows what apply would change', run: diff },
  definitions: { usage: 'definitions [KIND/NAME]', does: 'lists what is in force, or shows one', run: definitions },
  status: { usage: 'status', does: 'what answers, how far every task is, and the books', run: status },
  doctor: { usage: 'doctor', does: 'what is wrong, and what to do', run: doctor },
  profile: { usage: 'profile TYPE:VALUE', does: 'a profile, by any of its identifiers', run: profile },
  identity: {
    usage: 'identity TYPE:VALUE [TYPE:VALUE]',
    does: 'its identifiers; with two: why they are one, or are not',
    run: identity,
  },
  'identity explain': {
    usage: 'identity explain ID ID',
    does: 'the links that make two one, or the refused one and its limit (--plain: values unmasked)',
    run: explain,
  },
  'identity graph': {
    usage: 'identity graph ID',
    does: 'identifiers of a profile, and links among and around them (--dot for Graphviz, --plain)',
    run: graph,
  },
  'identity as-of': {
    usage: 'identity as-of TIME ID',
    does: 'its profile and identifiers as they were at a time (--plain)',
    run: asOf,
  },
  'identity health': {
    usage: 'identity health',
    does: 'sizes of profiles, shared identifiers, refusals, quarantine, what waits (--plain)',
    run: health,
  },
  'identity link': {
    usage: 'identity link ID ID',
    does: 'decides that two are one person (--reason WHY [--actor WHO] [--yes]); shows first what it does',
    run: link,
  },
  'identity unlink': {
    usage: 'identity unlink ID ID',
    does: 'decides that two are not one person (--reason WHY [--actor WHO] [--yes])',
    run: unlink,
  },
  'identity block': {
    usage: 'identity block ID',
    does: 'decides that an identifier links nothing (--reason WHY [--actor WHO] [--yes])',
    run: block,
  },
  'identity withdraw': {
    usage: 'identity withdraw TARGET',
    does: 'lets claims no longer count: claim:ID, source:NAME, actor:NAME, definition:KIND/NAME@VERSION',
    run: withdraw,
  },
  'identity restore': {
    usage: 'identity restore TARGET',
    does: 'lets them count again',
    run: restore,
  },
  'identity rules show': { usage: 'identity rules show', does: 'the identity rules in force', run: rulesShow },
  'identity rules diff': {
    usage: 'identity rules diff FILE',
    does: 'what other identity rules would make of all claims: a dry run',
    run: rulesDiff,
  },
  where: {
    usage: 'where ID',
    does: 'topics, tables, destinations and folders that hold something of a person (--plain)',
    run: where,
  },
  event: { usage: 'event MESSAGE_ID', does: 'what became of an event', run: event },
  rejected: { usage: 'rejected', does: 'what was rejected, and why (--limit ROWS)', run: rejected },
  deliveries: { usage: 'deliveries', does: 'what was delivered, and what was not (--limit ROWS)', run: deliveries },
  digest: {
    usage: 'digest',
    does: 'number of profiles and an order-free digest over them (--as-of TIME, --generation N, --clickhouse)',
    run: digest,
  },
  tail: { usage: 'tail', does: 'events as they pass (--source NAME, --event NAME, --rejected)', run: tail },
  import: {
    usage: 'import FILE',
    does: 'sends the rows of a CSV or JSONL file (--source NAME or --write-key KEY)',
    run: importFile,
  },
  replay: {
    usage: 'replay',
    does: 'rebuilds identities and profiles beside those that are live (--with FILE, --claims rebuild, --from kafka, --rate EVENTS_A_SECOND, --until-complete, --reason WHY)',
    run: replay,
  },
  'replay resume': { usage: 'replay resume GEN', does: 'goes on with it', run: replayResume },
  'replay list': { usage: 'replay list', does: 'generations: how far, since when, by whom and why', run: replayList },
  'replay switch': {
    usage: 'replay switch GEN',
    does: 'makes it live, or one that was before; readers go over at once (--reason WHY, --yes)',
    run: replaySwitch,
  },
  'replay drop': { usage: 'replay drop GEN', does: 'throws one away that is not live (--yes)', run: replayDrop },
  'replay compare': {
    usage: 'replay compare GEN',
    does: 'profiles that it has otherwise than the live one, and why (--as-of TIME, --limit ROWS, --plain)',
    run: replayCompare,
  },
};

/** Of a command's name. */
const MOST_WORDS = 3;

const help = (): string =>
  [
    'tributary: the operator’s tool',
    '',
    ...Object.values(commands).map(({ usage, does }) => `  tributary ${usage.padEnd(34)} ${does}`),
    '',
    'ID is TYPE:VALUE, such as user_id:42, email:a@example.com or profile_id:…, also a former one.',
    'Every command knows --json and --help. Exit code: 0, 1 when something is wrong, 2 when it was asked wrongly;',
    'of import 3 when all is imported but rows that are bad.',
    'It finds a local platform by its data directory (.tributary) and ports.',
    '',
    settingsHelp(),
  ].join('\n');

/** With those that begin with the same word. */
function commandHelp(command: Command): string {
  const family = Object.values(commands).filter(
    (one) => one !== command && one.usage.startsWith(`${command.usage.split(' ', 1)[0]} `),
  );
  return [command, ...family]
    .map(({ usage, does }) => `tributary ${usage}\n  ${does}`)
    .concat('', settingsHelp())
    .join('\n');
}

/** Runs one command. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const complain = (text: string): void => void process.stderr.write(`${text}\n`);
  const invocation = invocationOf(argv);
  if ('errors' in invocation) {
    for (const error of invocation.errors) complain(`tributary: ${error}`);
    return 2;
  }
  const { words, json, settings } = invocation;
  const name = words[0];
  const { command, rest } = commandOf(words);
  if (invocation.help || name === 'help' || name === undefined) {
    say(command ? commandHelp(command) : help());
    return invocation.help || name === 'help' ? 0 : 2;
  }
  if (!command) {
    complain(`tributary: there is no command ${name}; tributary --help lists them`);
    return 2;
  }
  const connections = new Connections(settings);
  try {
    const output = await command.run(connections, rest, { json, say });
    if (!output) return 0;
    say(json ? JSON.stringify(output.json, null, 2) : output.text);
    return output.exitCode ?? 0;
  } catch (error) {
    const trouble = error instanceof Trouble ? error : unforeseen(error);
    const { message, advice, exitCode } = trouble;
    if (json) say(JSON.stringify({ error: { message, advice } }, null, 2));
    else complain(advice ? `${message}\n→ ${advice}` : message);
    return exitCode;
  } finally {
    await connections.close();
  }
}

/** The command that the most words name. */
function commandOf(words: readonly string[]): {
  readonly command: Command | undefined;
  readonly rest: readonly string[];
} {
  for (let count = Math.min(words.length, MOST_WORDS); count > 0; count--) {
    const name = words.slice(0, count).join(' ');
    if (Object.hasOwn(commands, name)) return { command: commands[name], rest: words.slice(count) };
  }
  return { command: undefined, rest: words };
}

function unforeseen(error: unknown): Trouble {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Trouble(message, '`tributary doctor` looks at every part');
}
