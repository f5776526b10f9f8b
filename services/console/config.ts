import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { port, text } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  apiPort: port('API_PORT', 'Port of the read API', '8090'),
  apiHost: text('API_HOST', 'Address that the read API is bound to', '127.0.0.1'),
  apiTokenFile: text('API_TOKEN_FILE', 'File with the token that callers must show; DATA/api-token when empty', ''),
  pageCollectorUrl: text(
    'PAGE_COLLECTOR_URL',
    'The collector as browsers reach it: the live page can then send events',
    '',
  ),
  pageWriteKey: text('PAGE_WRITE_KEY', 'Write key of the source that the live page sends as', 'local-web'),
} as const;
