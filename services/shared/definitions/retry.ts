import { z } from 'zod';

/** How often, and how soon, what could not be sent is sent again. */
export const retry = z
  .strictObject({
    attempts: z.number().int().min(1).default(8),
    initialMs: z.number().int().min(1).default(500),
    maxMs: z.number().int().min(1).default(60_000),
  })
  .default({ attempts: 8, initialMs: 500, maxMs: 60_000 });
