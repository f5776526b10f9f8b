import { relative } from 'node:path';
import { Progress } from './sample/progress.ts';
import { reportOf } from './sample/report.ts';
import { closeSample, loadSample, openSample, type Sample, settleSample } from './sample/run.ts';
import { tellStory } from './sample/story.ts';
import type { RunSample } from './supervisor.ts';

/** Queries that were tried on the sample. */
const queries = [
  `SELECT toYear(timestamp) AS year, count() AS orders FROM events WHERE event = 'Order Completed' GROUP BY year ORDER BY year`,
  `SELECT profile_id, events, revenue['USD'] AS usd FROM profiles ORDER BY usd DESC LIMIT 5`,
  `SELECT kind, reason, count() AS identifiers FROM identity_changes GROUP BY kind, reason ORDER BY identifiers DESC`,
] as const;

/** Loads the sample, waits until all of it has arrived, and says what became of it. @returns 0 when the books balance */
export const runSample: RunSample = async (platform, { once, startedMs }) => {
  const progress = new Progress(process.stdout);
  const sample = await openSample(platform);
  const { expected } = sample;
  const isThere = sample.state.acknowledged !== null;
  if (isThere) progress.say(`The sample is there since ${new Date(sample.state.begunAt).toISOString()}.`);
  else progress.say(`Sending the sample: ${expected.sent} events, ${sample.orders.length} of them purchases.`);
  await loadSample(sample, (acknowledged) => progress.show(`sent ${acknowledged} of ${expected.sent}`));
  const began = performance.now();
  const { findings, problems, feed } = await settleSample(sample, progress);
  const settledMs = performance.now() - began;
  const failures = await tryQueries(sample);
  const story = await storyOf(sample).catch((error: Error) => {
    failures.push(error.message);
    return [];
  });
  const identifiers = [...feed.profiles.values()].reduce((total, one) => total + one.identifiers.length, 0);
  const report = reportOf({
    findings,
    problems: [...problems, ...failures],
    identifiers,
    story,
    ...whereToLook(sample, once),
    times: [
      [isThere ? 'warm start' : 'cold start', startedMs],
      [isThere ? 'load, the first time,' : 'load', sample.state.loadMs ?? 0],
      ['until all had arrived', settledMs],
    ],
  });
  progress.say(report.join('\n'));
  // The receiver goes on taking deliveries in as long as the platform runs.
  if (once) await closeSample(sample);
  return problems.length + failures.length === 0 ? 0 : 1;
};

const storyOf = ({ host, clicks }: Sample): Promise<string[]> =>
  tellStory({ url: `http://127.0.0.1:${host.settings.apiPort}`, token: host.apiToken }, clicks.story);

/** What is offered to be tried must work. @returns what does not */
async function tryQueries({ clickhouse }: Sample): Promise<string[]> {
  const answers = queries.map(async (query) => {
    const result = await clickhouse.query({ query, format: 'JSONEachRow' });
    return (await result.json()).length > 0 ? [] : [`no rows: ${query}`];
  });
  const failed = (error: Error): string[] => [`a query failed: ${error.message}`];
  return (await Promise.all(answers.map((answer) => answer.catch(failed)))).flat();
}

function whereToLook({ host, receiver }: Sample, once: boolean) {
  const env = host.env();
  const api = `http://127.0.0.1:${host.settings.apiPort}`;
  const file = (name: string): string => relative(process.cwd(), `${host.directory}/${name}`) || '.';
  return {
    queries,
    ask: `curl '${env.TRIBUTARY_CLICKHOUSE_URL}/?database=tributary' -u "${env.TRIBUTARY_CLICKHOUSE_USER}:$(cat ${relative(process.cwd(), env.TRIBUTARY_CLICKHOUSE_PASSWORD_FILE as string)})" -d "… FORMAT PrettyCompact"`,
    addresses: [
      ['collector', `http://127.0.0.1:${host.settings.collectorPort}`],
      ['read API', `${api}  (token in ${file('api-token')})`],
      // Of a platform that stops nobody can open the page, and its output may be kept.
      ...(once ? [] : [['live page', `${api}/#token=${host.apiToken}`] as const]),
      ['webhook receiver', receiver.url],
    ] as const,
  };
}
