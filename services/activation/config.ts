import { count, flag } from '#shared/service/options.ts';
import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  opsHost,
  opsPort: opsPort('activation', '9103'),
  attemptTimeoutMs: count('ATTEMPT_TIMEOUT_MS', 'How long one attempt to deliver may take, milliseconds', '15000'),
  webhookPrivateAddresses: flag(
    'WEBHOOK_PRIVATE_ADDRESSES',
    'Let profile webhooks go to http: URLs and to addresses that are not on the internet',
    'false',
  ),
} as const;
