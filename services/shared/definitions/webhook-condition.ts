import { parseFql } from '@segment/destination-subscriptions';

const quoted = /"(?:[^"\\]|\\.)*"/g;
const name = /[A-Za-z_$][\w$.\\-]*/g;
const words: ReadonlySet<string> = new Set(['and', 'or', 'true', 'false', 'null', 'contains', 'match']);
const known = /^(?:properties|context)(?:\.[A-Za-z_][\w\\-]*)+$/;

const withoutValue = /[=<>]\s*(?:$|\)|(?:and|or)\b)/;

/** What is wrong with a query that asks about a webhook, if anything. The parser takes more than it understands, and lets too much through. */
export function conditionFault(query: string): string | undefined {
  const bare = query.replace(quoted, '""');
  const unknown = bare.match(name)?.find((one) => !words.has(one) && !known.test(one));
  if (unknown) return `asks about ${unknown}; there are properties.… and context.…`;
  if (withoutValue.test(bare)) return 'compares with nothing';
  const parsed = parseFql(query);
  return 'error' in parsed ? `is not a query: ${parsed.error.message}` : undefined;
}
