import { z } from 'zod';

/** Consent purposes that something needs, by name. */
export const consentPurposes = z.array(z.string().min(1)).default([]);
