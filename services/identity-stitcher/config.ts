import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { generationOptions } from '#shared/service/generation-options.ts';
import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  ...generationOptions,
  opsHost,
  opsPort: opsPort('identity-stitcher', '9101'),
} as const;
