import { join, relative } from 'node:path';
import type { Platform } from './platform.ts';

/** What to know once everything runs: addresses, where the credentials are, and what to try. */
export function welcome(platform: Platform): string {
  const env = platform.env();
  const at = (file: string) => relative(process.cwd(), join(platform.directory, file)) || '.';
  const collector = `http://127.0.0.1:${env.TRIBUTARY_COLLECTOR_PORT}`;
  const api = `http://127.0.0.1:${env.TRIBUTARY_API_PORT}`;
  const page = `${api}/#token=${platform.apiToken}`;
  const event = `{"type":"track","userId":"me","event":"Tried","messageId":"'$RANDOM'"}`;
  return `
  collector        ${collector}
  read API         ${api}
  live page        ${page}
  ClickHouse       ${env.TRIBUTARY_CLICKHOUSE_URL}  (database tributary, user ${env.TRIBUTARY_CLICKHOUSE_USER})
  Kafka            ${env.TRIBUTARY_KAFKA_BROKERS}
  schema registry  ${env.TRIBUTARY_REGISTRY_URL}

  API token            ${platform.apiToken}  (${at('api-token')})
  ClickHouse password  in ${relative(process.cwd(), platform.clickhousePasswordFile)}
  logs                 ${at('logs')}

Three things to try:

  1. Open the live page, and send an event from it, or so:
                      curl -u local-server: ${collector}/v1/track -H 'Content-Type: application/json' -d '${event}'
  2. See the profile: curl -H "Authorization: Bearer $(cat ${at('api-token')})" ${api}/v1/profiles/user_id:me
  3. Ask in SQL:      curl "${env.TRIBUTARY_CLICKHOUSE_URL}/?database=tributary" -u "${env.TRIBUTARY_CLICKHOUSE_USER}:$(cat ${relative(process.cwd(), platform.clickhousePasswordFile)})" -d 'SELECT type, count() FROM events GROUP BY type FORMAT PrettyCompact'

Ctrl-C stops everything; the next start finds the data.
`;
}
