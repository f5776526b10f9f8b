import type { Answer } from './answers.ts';

/** A GIF of one transparent point. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** The bytes of `?data=`, base64 of either alphabet. Undefined where there are none. */
export function pixelData(query: string | undefined): Buffer | undefined {
  const data = new URLSearchParams(query).get('data');
  // What was not escaped has its pluses read as spaces.
  return data ? Buffer.from(data.replaceAll(' ', '+'), 'base64url') : undefined;
}

/**
 * The image, whatever became of the event: nobody comes back for a pixel, and a broken image helps nobody. What really became of it is
 * counted, and in a header for whoever tries it out.
 */
export const toPixel = ({ status, code }: { readonly status: number; readonly code?: string }): Answer => ({
  status: 200,
  counted: status,
  headers: {
    'content-type': 'image/gif',
    'cache-control': 'no-store',
    ...(code === undefined ? {} : { 'tributary-error': code }),
  },
  body: GIF,
});
