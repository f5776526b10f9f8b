import { count } from '#shared/service/options.ts';
import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = {
  ...platformOptions,
  opsHost,
  opsPort: opsPort('activation', '9103'),
  attemptTimeoutMs: count('ATTEMPT_TIMEOUT_MS', 'How long one attempt to deliver may take, milliseconds', '15000'),
} as const;
