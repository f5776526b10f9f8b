import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { port, text } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  apiPort: port('API_PORT', 'Port of the read API', '8090'),
  apiHost: text('API_HOST', 'Address that the read API is bound to', '127.0.0.1'),
  apiTokenFile: text('API_TOKEN_FILE', 'File with the token that callers must show; DATA/api-token when empty', ''),
} as const;
