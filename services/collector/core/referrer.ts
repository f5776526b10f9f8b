import { objectOf } from './object-of.ts';

/** Names of searches and social networks, by the part of their host that does not differ between countries. */
const searches = ['google', 'bing', 'duckduckgo', 'yahoo', 'ecosia', 'qwant', 'baidu', 'yandex', 'startpage', 'naver'];
const socials: Readonly<Record<string, string>> = {
  'facebook.com': 'facebook',
  'instagram.com': 'instagram',
  'linkedin.com': 'linkedin',
  'lnkd.in': 'linkedin',
  'pinterest.com': 'pinterest',
  'reddit.com': 'reddit',
  't.co': 'twitter',
  'tiktok.com': 'tiktok',
  'twitter.com': 'twitter',
  'x.com': 'twitter',
  'youtube.com': 'youtube',
};

/**
 * The campaign that a page's `referrer` amounts to where no UTM parameters say it, in the words that Google Analytics made usual:
 * a search is `organic`, a social network `social`, another site `referral`. Undefined for the site itself, and where nothing refers.
 */
export function campaignOfReferrer(context: unknown): Readonly<Record<string, string>> | undefined {
  const { referrer, url } = objectOf(objectOf(context).page);
  const host = hostOf(referrer);
  if (host === undefined || isSameSite(host, hostOf(url))) return undefined;
  const labels = host.split('.');
  const search = searches.find((name) => labels.slice(0, -1).includes(name));
  if (search) return { source: search, medium: 'organic' };
  const social = Object.keys(socials).find((name) => isWithin(host, name));
  if (social) return { source: socials[social] as string, medium: 'social' };
  return { source: host, medium: 'referral' };
}

function hostOf(address: unknown): string | undefined {
  if (typeof address !== 'string' || !/^https?:/i.test(address) || address.length > 8_192) return undefined;
  return URL.parse(address)?.hostname.replace(/^www\./, '');
}

const isWithin = (host: string, site: string): boolean => host === site || host.endsWith(`.${site}`);

/** One is within the other, as `shop.example.com` is in `example.com`. */
const isSameSite = (host: string, own: string | undefined): boolean =>
  own !== undefined && (isWithin(host, own) || isWithin(own, host));
