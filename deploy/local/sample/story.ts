import type { SampleHost } from './run.ts';
import type { Story } from './visitors.ts';

/** How one person came to be known, as the read API tells it. */
export async function tellStory(_host: SampleHost, _story: Story): Promise<string[]> {
  return [];
}
