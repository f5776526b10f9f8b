import { clickhouseOptions } from '#shared/clickhouse/client.ts';
import { generationOptions } from '#shared/service/generation-options.ts';
import { count } from '#shared/service/options.ts';
import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  ...clickhouseOptions,
  ...generationOptions,
  opsHost,
  opsPort: opsPort('profile-projector', '9102'),
  anonymousRetentionDays: count(
    'ANONYMOUS_RETENTION_DAYS',
    'Days without an event after which a profile that nothing identifies expires; 0: never',
    '395',
  ),
} as const;
