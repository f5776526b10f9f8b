import { clickhouseOptions, clusterOption } from '#shared/clickhouse/client.ts';
import { count, port, text } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  ...clusterOption,
  apiPort: port('API_PORT', 'Port of the read API', '8090'),
  apiHost: text('API_HOST', 'Address that the read API is bound to', '127.0.0.1'),
  apiTokenFile: text('API_TOKEN_FILE', 'File with the token that callers must show; DATA/api-token when empty', ''),
  apiTokensFile: text(
    'API_TOKENS_FILE',
    'YAML file with more tokens (their hashes), scopes and rates; none when empty',
    '',
  ),
  apiRequestsPerSecond: count(
    'API_REQUESTS_PER_SECOND',
    'How many requests each token may make a second, and twice as many at once after a pause; 0: no limit',
    '2000',
  ),
  digestMinutes: count(
    'DIGEST_MINUTES',
    'Minutes between two measurements of the digest over all profiles; 0: never',
    '5',
  ),
  pageCollectorUrl: text(
    'PAGE_COLLECTOR_URL',
    'The collector as browsers reach it: the live page can then send events',
    '',
  ),
  pageWriteKey: text('PAGE_WRITE_KEY', 'Write key of the source that the live page sends as', 'local-web'),
} as const;
