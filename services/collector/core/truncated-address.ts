const ipv4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/;

/**
 * An address without what tells one connection from its neighbours: the last octet of an IPv4 address, all but the first 48 bits of an
 * IPv6 one. Null where it is neither: what cannot be read cannot be cut.
 */
export function truncatedAddress(address: string): string | null {
  const network = ipv4.exec(address.replace(/^::ffff:/i, ''))?.[1];
  if (network !== undefined) return `${network}.0`;
  if (!/^[0-9a-f:]{2,39}$/i.test(address)) return null;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  if (tail === undefined && groups.length !== 8) return null;
  const kept = groups.slice(0, 3).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
  while (kept.length > 0 && (kept.at(-1) === '0' || kept.at(-1) === '')) kept.pop();
  return `${kept.join(':')}::`;
}
