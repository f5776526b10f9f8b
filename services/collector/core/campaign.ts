import { objectOf } from './object-of.ts';

/** Longer values say nothing to anybody. */
const MOST_TEXT = 256;
/** Of so many the first are looked at: an address of half a megabyte would keep everybody waiting. */
const MOST_PARAMETERS = 100;

/** Segment's names of what marketers put into addresses. */
const names: Readonly<Record<string, string>> = {
  utm_source: 'source',
  utm_medium: 'medium',
  utm_campaign: 'name',
  utm_term: 'term',
  utm_content: 'content',
  utm_id: 'id',
};

/**
 * The campaign that brought somebody to a page, as Segment's browser SDK would have put it into `context.campaign`: from the UTM
 * parameters of the page's `search`, else of its `url`. The first of several with one name counts. Undefined where there are none.
 */
export function campaignOf(context: unknown): Readonly<Record<string, string>> | undefined {
  const { search, url } = objectOf(objectOf(context).page);
  const query = queryOf(search) ?? queryOf(url);
  if (query === undefined) return undefined;
  const campaign: Record<string, string> = {};
  for (const [parameter, value] of new URLSearchParams(query)) {
    const name = Object.hasOwn(names, parameter) ? names[parameter] : undefined;
    if (name !== undefined && value !== '') campaign[name] ??= value.slice(0, MOST_TEXT).toWellFormed();
  }
  return Object.keys(campaign).length > 0 ? campaign : undefined;
}

/** What stands behind the question mark, if any of it is for us. */
function queryOf(address: unknown): string | undefined {
  if (typeof address !== 'string' || !address.includes('utm_')) return undefined;
  const query = address.slice(address.indexOf('?') + 1);
  const hash = query.indexOf('#');
  const parameters = (hash < 0 ? query : query.slice(0, hash)).split('&', MOST_PARAMETERS);
  return parameters.filter((parameter) => parameter.startsWith('utm_')).join('&');
}
