import { opsHost, opsPort, platformOptions } from '#shared/service/platform-options.ts';

export const options = { ...platformOptions, opsHost, opsPort: opsPort('identity-stitcher', '9101') } as const;
