import { apply, definitions, diff } from './commands/definitions.ts';
import { doctor } from './commands/doctor.ts';
import { deliveries, event, rejected } from './commands/events.ts';
import { importFile } from './commands/import.ts';
import { digest, identity, profile } from './commands/profiles.ts';
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
  readonly run?: (connections: Connections, words: readonly string[], speech: Speech) => Promise<Output | undefined>;
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
  event: { usage: 'event MESSAGE_ID', does: 'what became of an event', run: event },
  rejected: { usage: 'rejected', does: 'what was rejected, and why (--limit ROWS)', run: rejected },
  deliveries: { usage: 'deliveries', does: 'what was delivered, and what was not (--limit ROWS)', run: deliveries },
  digest: { usage: 'digest', does: 'number of profiles and an order-free digest over them', run: digest },
  tail: { usage: 'tail', does: 'events as they pass (--source NAME, --event NAME, --rejected)', run: tail },
  import: {
    usage: 'import FILE',
    does: 'sends the rows of a CSV or JSONL file (--source NAME or --write-key KEY)',
    run: importFile,
  },
  replay: { usage: 'replay', does: 'not there yet' },
};

const help = (): string =>
  [
    'tributary: the operator’s tool',
    '',
    ...Object.values(commands).map(({ usage, does }) => `  tributary ${usage.padEnd(34)} ${does}`),
    '',
    'Every command knows --json and --help. Exit code: 0, 1 when something is wrong, 2 when it was asked wrongly;',
    'of import 3 when all is imported but rows that are bad.',
    'It finds a local platform by its data directory (.tributary) and ports.',
    '',
    settingsHelp(),
  ].join('\n');

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
  const [name, ...rest] = words;
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (invocation.help || name === 'help' || name === undefined) {
    say(command ? `tributary ${command.usage}\n  ${command.does}\n\n${settingsHelp()}` : help());
    return invocation.help || name === 'help' ? 0 : 2;
  }
  if (!command) {
    complain(`tributary: there is no command ${name}; tributary --help lists them`);
    return 2;
  }
  if (!command.run) {
    complain(`tributary ${name} is not there yet`);
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

function unforeseen(error: unknown): Trouble {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Trouble(message, '`tributary doctor` looks at every part');
}
