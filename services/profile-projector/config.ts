import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  opsHost,
  opsPort: opsPort('profile-projector', '9102'),
} as const;
