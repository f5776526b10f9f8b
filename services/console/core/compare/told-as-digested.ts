import type { Digested } from '#shared/profiles/digest.ts';
import type { Told } from '#shared/profiles/profile-shape.ts';

/** A profile that exists, as its digest is made of it. */
export const toldAsDigested = (told: Told): Digested => ({ ...told, gone: false, into: null });
