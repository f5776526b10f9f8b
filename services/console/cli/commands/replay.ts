import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Generation } from '#schemas/generated/records.ts';
import { generationsTopic, topics, traitFillsTopic } from '#schemas/topics.ts';
import { diffDefinitions } from '#shared/definitions/apply.ts';
import { validateDefinitions } from '#shared/definitions/validate.ts';
import { type Generations, liveOf, nextLiveOf, type Wish } from '#shared/generations/lifecycle.ts';
import { CLAIMS, EVERYTHING } from '#shared/generations/rebuilt.ts';
import { changeGenerations, type GenerationsHome, readGenerations } from '#shared/generations/records.ts';
import { defaultIdentityRules } from '#shared/identity/default-rules.ts';
import type { NamingRules } from '#shared/identity/plan.ts';
import type { Admin } from '#shared/kafka/client.ts';
import { topicOffsets } from '#shared/kafka/topic-offsets.ts';
import { announceEdition } from '../../adapters/announce-edition.ts';
import { shareFilled } from '../../core/share-filled.ts';
import { changesForLater, laterText } from '../../core/why.ts';
import type { CliSettings } from '../config.ts';
import { canBeAsked, confirmed } from '../confirmed.ts';
import type { Connections } from '../connections.ts';
import { type Output, type Speech, table } from '../output.ts';
import { readTopic } from '../read-topic.ts';
import { prepareGround } from '../replay/ground.ts';
import { type Remains, remainsOf, remove, runningOf } from '../replay/removal.ts';
import { runReplay } from '../replay/run.ts';
import { handOver } from '../replay/switch.ts';
import { Watch } from '../replay/watch.ts';
import { Trouble } from '../trouble.ts';
import { contentOf, foreseen } from './definitions.ts';

type Words = readonly string[];

/** So little is read in a moment; markers of transactions count, too. */
const FEW_BEHIND = 5_000;

interface Progress {
  /** Shares of history that were read for profiles, and for claims, from 0 to 1. */
  readonly read: { readonly profiles?: number; readonly claims?: number };
  /** Every partition has told all of its profiles. */
  readonly complete: boolean;
}

/** Makes a new generation, and runs it. */
export async function replay(connections: Connections, words: Words, speech: Speech): Promise<Output> {
  const { settings } = connections;
  if (words.length > 0)
    throw new Trouble(`there is no command replay ${words[0]}`, '`tributary replay --help` lists them', 2);
  const claims = settings.claims === 'rebuild' ? 'rebuilt' : 'recorded';
  const history = settings.from;
  const definitions = settings.with ? await ownDefinitions(connections, speech) : '';
  requireSecret(settings);
  const home = await homeOf(connections);
  if (history === 'clickhouse' || claims === 'rebuilt') await connections.rows('SELECT 1 FROM events_log LIMIT 1');
  const claims_cut = claims === 'rebuilt' ? await endOfClaims(connections) : 0;
  const record = await change(connections, home, { verb: 'begin', claims, claims_cut, history, definitions });
  if (!record) throw new Error('no generation was begun');
  return runReplay(connections, home, record, speech);
}

/** Goes on with one that was begun. */
export async function replayResume(connections: Connections, words: Words, speech: Speech): Promise<Output> {
  const home = await homeOf(connections);
  const record = recordOf(await readGenerations(home), numberIn(words, 'resume'));
  const { generation, state } = record;
  if (state === 'dropped')
    throw new Trouble(`generation ${generation} is dropped`, '`tributary replay` makes a new one');
  if (state !== 'replaying') throw new Trouble(`generation ${generation} is ${state}: the services run it`, '');
  requireSecret(connections.settings);
  return runReplay(connections, home, record, speech);
}

/** All generations, also those that are dropped. */
export async function replayList(connections: Connections): Promise<Output> {
  const home = await homeOf(connections);
  const admin = await connections.kafka();
  const there = new Set(await admin.listTopics());
  const all = await readGenerations(home);
  const begun = nextLiveOf(all);
  const rows = [];
  for (const record of all.values()) {
    const { generation, state, definitions, started_at, changed_at, ...rest } = record;
    const isGone = state === 'dropped';
    const hasFills = there.has(home.prefix + traitFillsTopic(generation).name);
    const progress = hasFills && !isGone ? await progressOf(home, record) : { read: {}, complete: false };
    const isRunning =
      !isGone && (await runningOf(admin, await remainsOf(admin, connections.settings, generation))).length > 0;
    rows.push({
      generation,
      state,
      runs: isRunning,
      becomes_live: record === begun,
      ...progress,
      ...rest,
      definitions: namesIn(definitions),
      started_at: timeText(started_at),
      changed_at: timeText(changed_at),
    });
  }
  return {
    json: rows,
    text: table(
      ['generation', 'state', 'runs', 'from', 'read', 'claims', 'read', 'own definitions', 'since', 'by', 'reason'],
      rows.map((row) => [
        String(row.generation),
        stateText(row),
        row.runs ? 'yes' : 'no',
        row.history,
        shareText(row.read.profiles),
        row.claims,
        shareText(row.read.claims),
        row.definitions.join(', '),
        row.started_at,
        row.actor,
        row.reason,
      ]),
    ),
  };
}

/** Makes one live: the one that was live yields to it, and readers go over once they can have all. Again, it goes on where it was. */
export async function replaySwitch(connections: Connections, words: Words, { json, say }: Speech): Promise<Output> {
  const { settings } = connections;
  const home = await homeOf(connections);
  const generation = numberIn(words, 'switch');
  const all = await readGenerations(home);
  const to = recordOf(all, generation);
  const from = liveOf(all);
  const admin = await connections.kafka();
  const tell = (text: string): void => {
    if (!json) say(text);
  };
  if (to.state === 'dropped') throw new Trouble(`generation ${generation} is dropped`, '');
  const begun = nextLiveOf(all);
  if (begun && begun !== to) throw new Trouble(...halfSwitched(begun));
  if (to.state !== 'live') {
    if (!begun) {
      await requireWhatIsInForce(connections, to);
      await requireComplete(admin, home, to);
      const what = `generation ${generation} becomes live, instead of generation ${from.generation}`;
      if (!settings.yes) {
        if (json || !canBeAsked()) throw new Trouble(what, 'nothing is done yet: --yes does it', 2);
        if (!(await confirmed(`${what}?`)))
          return { json: { generation, live: from.generation }, text: 'nothing is done' };
      }
      // The live one may never have been told to be quiet: then nobody has made where it speaks to its own.
      for (const one of [from, to]) await prepareGround(admin, home, one, connections.settings.generation);
      await change(connections, home, { verb: 'announce', generation });
    }
    const { edition } = recordOf(await readGenerations(home), generation);
    await orSayHowItGoesOn(to, async () => {
      await caughtUp(admin, home, to, tell);
      await handOver(from, to, { connections, home, admin, edition, say: tell });
      await change(connections, home, { verb: 'switch', generation });
    });
  }
  const { edition, changed_at: at } = recordOf(await readGenerations(home), generation);
  await announceEdition(connections.clickhouse(), settings.clickhouseDatabase, { edition, generation, at });
  const [row] = await connections.rows<{ anew: string }>(
    `SELECT toString(uniqExact(profile_id)) AS anew FROM ${settings.clickhouseDatabase}.profiles_latest WHERE edition = {edition:UInt32}`,
    { edition },
  );
  const anew = Number(row?.anew ?? 0);
  return {
    json: { generation, live: generation, edition, anew },
    text: `generation ${generation} is live (edition ${edition}); profiles that it has told differently so far: ${anew}`,
  };
}

/** What is wrong while a switch has begun and nobody is at it, and what to do. */
export const halfSwitched = ({ generation }: Generation): [what: string, advice: string] => [
  `a switch to generation ${generation} has begun: publishing may stand still until it has ended`,
  `where nobody is at it, this ends it: tributary replay switch ${generation}`,
];

/** Whoever is impatient in the midst of a switch must know that it is no state to stay in. */
async function orSayHowItGoesOn(to: Generation, go: () => Promise<void>): Promise<void> {
  const interrupted = (): void => {
    const [what, advice] = halfSwitched(to);
    process.stderr.write(`interrupted: ${what}\n→ ${advice}\n`);
    process.exit(130);
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    await go();
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

/** After a switch what is in force is so for all. */
async function requireWhatIsInForce(connections: Connections, { generation, definitions }: Generation): Promise<void> {
  if (definitions === '') return;
  const read = validateDefinitions(definitions, '');
  const wanted = 'definitions' in read ? read.definitions : [];
  const changes = await diffDefinitions(await connections.home(), wanted);
  const other = changes.filter(({ what }) => what !== 'unchanged').map(({ kind, name }) => `${kind}/${name}`);
  if (other.length > 0)
    throw new Trouble(
      `generation ${generation} has definitions that are not in force: ${other.join(', ')}`,
      'first apply the file that it was made with: tributary apply FILE',
    );
}

/** @throws Trouble where it has not told all that there was before it */
async function requireComplete(admin: Admin, home: GenerationsHome, record: Generation): Promise<void> {
  if (record.state === 'retired') return;
  const watch = await Watch.begin({ admin, ...home }, record);
  try {
    const { told, partitions } = await watch.look();
    if (partitions === 0 || told < partitions)
      throw new Trouble(
        `generation ${record.generation} is not complete`,
        `to go on: tributary replay resume ${record.generation}`,
      );
  } finally {
    await watch.end();
  }
}

/** Waits until it is about where the live one is: until then nothing new would be published. */
async function caughtUp(
  admin: Admin,
  home: GenerationsHome,
  record: Generation,
  tell: (text: string) => void,
): Promise<void> {
  const watch = await Watch.begin({ admin, ...home }, record);
  try {
    for (let told = false; ; told = true) {
      const { behind } = await watch.look();
      if (behind.events + behind.claims < FEW_BEHIND) return;
      if (!told) tell(`generation ${record.generation} catches up: ${behind.events} events behind`);
      await sleep(500);
    }
  } finally {
    await watch.end();
  }
}

/** Throws away all that there is of one that is not live. */
export async function replayDrop(connections: Connections, words: Words, { json, say }: Speech): Promise<Output> {
  const { settings } = connections;
  const home = await homeOf(connections);
  const generation = numberIn(words, 'drop');
  const record = recordOf(await readGenerations(home), generation);
  const admin = await connections.kafka();
  const remains = await remainsOf(admin, settings, generation);
  // Somebody may have been interrupted in the middle of it.
  const isDropped = record.state === 'dropped';
  if (isDropped && remains.topics.length + remains.groups.length === 0 && !remains.folder)
    throw new Trouble(`generation ${generation} is dropped already`, '');
  if (generation === settings.generation && !isDropped)
    throw new Trouble(
      `generation ${generation} cannot be dropped: it is the services’ own, with which what was sent, and when, is kept for all`,
      'it stays, and is kept up to date',
    );
  if (record.state === 'live') throw new Trouble(`generation ${generation} is live`, 'first make another one live');
  if (!settings.yes && !isDropped) {
    const reason = record.reason ? ` (${record.reason})` : '';
    const what = `generation ${generation}, ${record.state}${reason}, with ${listed(remains)}`;
    if (json || !canBeAsked()) throw new Trouble(`to be dropped: ${what}`, 'nothing is done yet: --yes does it', 2);
    if (!(await confirmed(`drop ${what}?`)))
      return { json: { generation, dropped: false }, text: 'nothing is dropped' };
  }
  if (!isDropped) await change(connections, home, { verb: 'drop', generation });
  const removed = await remove(admin, settings, generation, () => {
    if (!json) say('waiting until whoever runs it has let go');
  });
  if (!removed)
    throw new Trouble(
      `generation ${generation} is dropped, but somebody still runs it`,
      `stop them, then once more: tributary replay drop ${generation}`,
    );
  return {
    json: { generation, dropped: true, ...removed },
    text: `generation ${generation} is dropped, with ${listed(removed)}`,
  };
}

const listed = ({ topics, groups, folder }: Remains): string =>
  `${topics.length} topics, ${groups.length} consumer groups${folder ? ` and ${folder}` : ''}`;

/** Text of the file that is wanted beside what is in force. */
async function ownDefinitions(connections: Connections, { json, say }: Speech): Promise<string> {
  const content = contentOf(connections.settings.with);
  const changes = await foreseen(connections, content);
  const real = changes.filter(({ what }) => what !== 'unchanged');
  if (!json)
    say(
      real.length === 0
        ? `${connections.settings.with} says what is in force already`
        : `in the new generation alone: ${real.map(({ what, kind, name }) => `${kind}/${name} ${what}`).join(', ')}`,
    );
  const later = real.flatMap(({ kind, before = defaultIdentityRules, after = defaultIdentityRules }) =>
    kind === 'identity_rules' ? changesForLater(before as NamingRules, after as NamingRules) : [],
  );
  const text = laterText(later);
  if (text && json) process.stderr.write(`${JSON.stringify({ only_later: later })}\n`);
  else if (text) say(`${text}; what is to link nobody among them: tributary identity block TYPE:VALUE`);
  return content.text;
}

function requireSecret({ secretFile, dataDirectory }: CliSettings): void {
  const file = secretFile || join(dataDirectory, 'secret');
  if (!existsSync(file))
    throw new Trouble(`the installation’s secret is not at ${file}`, 'set TRIBUTARY_SECRET_FILE, or TRIBUTARY_DATA');
}

export async function homeOf(
  connections: Connections,
): Promise<GenerationsHome & Awaited<ReturnType<Connections['home']>>> {
  const home = await connections.home();
  const topic = home.prefix + generationsTopic.name;
  if (!(await (await connections.kafka()).listTopics()).includes(topic))
    throw new Trouble(`the topic ${topic} is missing`, 'run node deploy/provision.ts');
  return { ...home, generation: connections.settings.generation };
}

async function endOfClaims(connections: Connections): Promise<number> {
  const topic = connections.settings.prefix + topics.identityClaims.name;
  const bounds = await topicOffsets(await connections.kafka(), topic);
  return Math.max(0, ...bounds.map(({ high }) => high));
}

/** @returns the record that was written. @throws Trouble where it cannot be */
async function change({ settings }: Connections, home: GenerationsHome, wish: Wish): Promise<Generation | undefined> {
  const { actor, reason } = settings;
  const decided = await changeGenerations(home, wish, { actor, reason, at: Date.now() });
  if ('refused' in decided) throw new Trouble(decided.refused, '');
  return decided.records[0];
}

/** @throws Trouble where no number was typed */
export function numberIn([word]: readonly (string | undefined)[], verb: string): number {
  const number = Number(word);
  if (!word || !Number.isInteger(number) || number < 1)
    throw new Trouble(
      word ? `${word} is no generation` : 'which generation?',
      `tributary replay ${verb} GEN; \`tributary replay list\` lists them`,
      2,
    );
  return number;
}

/** @throws Trouble where there is none */
export function recordOf(all: Generations, generation: number): Generation {
  const record = all.get(generation);
  if (!record) throw new Trouble(`there is no generation ${generation}`, '`tributary replay list` lists them');
  return record;
}

/** How far it is; nothing where no history was to be read, or it has not begun. */
export async function progressOf(home: GenerationsHome, { generation, history }: Generation): Promise<Progress> {
  const read: { profiles?: number; claims?: number } = {};
  const told = new Set<number>();
  let partitions = 0;
  await readTopic(home, traitFillsTopic(generation), (_, fill) => {
    if (fill?.trait !== EVERYTHING.trait) return;
    if (fill.partition >= 0) {
      partitions = fill.partitions;
      if (fill.complete) told.add(fill.partition);
    } else if (fill.version === CLAIMS.version) read.claims = shareFilled(fill);
    // What Kafka still holds is read as if it came now.
    else if (history !== 'kafka') read.profiles = shareFilled(fill);
  });
  return { read, complete: partitions > 0 && told.size === partitions && (read.claims ?? 1) === 1 };
}

const stateText = (
  row: Pick<Generation, 'state'> & {
    readonly becomes_live: boolean;
    readonly complete: boolean;
    readonly changed_at: string | null;
  },
): string => {
  if (row.becomes_live) return `${row.state}, a switch to it has begun`;
  if (row.state === 'replaying') return `${row.state}${row.complete ? ', complete' : ''}`;
  return `${row.state} since ${row.changed_at ?? 'ever'}`;
};

const shareText = (share: number | undefined): string => (share === undefined ? '' : `${Math.floor(share * 100)} %`);

/** `kind/name` of what a file defines; its text may hold secrets. */
function namesIn(text: string): string[] {
  if (text === '') return [];
  const read = validateDefinitions(text, '');
  return 'definitions' in read ? read.definitions.map(({ kind, name }) => `${kind}/${name}`) : ['?'];
}

const timeText = (at: number): string | null => (at === 0 ? null : new Date(at).toISOString());
