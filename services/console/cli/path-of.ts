import { Trouble } from './trouble.ts';

/** Where the read API tells of a profile. @throws Trouble */
export function pathOf(reference: string | undefined, part = ''): string {
  if (!reference?.includes(':'))
    throw new Trouble('which identifier?', 'for example user_id:42, email:a@example.com, profile_id:…', 2);
  return `/v1/profiles/${encodeURIComponent(reference)}${part}`;
}
