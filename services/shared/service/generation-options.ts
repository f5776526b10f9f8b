import { count, flag, oneOf, text } from './options.ts';

/** What `tributary replay` tells the services that it starts: how they run a generation beside the live one. */
export const generationOptions = {
  booksGeneration: count(
    'BOOKS_GENERATION',
    'Generation in whose books (internal.g<N>.accounting) this one counts; 0: in its own',
    '0',
  ),
  quiet: flag('QUIET', 'What this generation says is for nobody else: it runs beside the live one', 'false'),
  replayHistory: oneOf(
    ['none', 'clickhouse', 'kafka'],
    'REPLAY_HISTORY',
    'Where a generation that begins with nothing has its history from: none, clickhouse (the event log) or kafka',
    'none',
  ),
  replayClaims: oneOf(
    ['recorded', 'rebuilt'],
    'REPLAY_CLAIMS',
    'Which claims it follows: recorded, or rebuilt from events (what people decided is recorded)',
    'recorded',
  ),
  replayClaimsCut: count(
    'REPLAY_CLAIMS_CUT',
    'Rebuilt: offset of identity.claims before which resolvers’ claims are not taken over',
    '0',
  ),
  replayRate: count(
    'REPLAY_RATE',
    'Most events of history that are read in a second; 0: as many as there is room for',
    '0',
  ),
  replayDefinitions: text('REPLAY_DEFINITIONS', 'File of definitions that are in force in this generation alone', ''),
} as const;
