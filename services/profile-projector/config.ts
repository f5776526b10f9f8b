import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = { ...platformOptions, opsHost, opsPort: opsPort('profile-projector', '9102') } as const;
