import { isIPv4 } from 'node:net';

type Value = string | number | { readonly [name: string]: Value } | readonly Value[];

/**
 * A small file in MaxMind's format (specification 2.0: a binary tree with records of 24 bits, data, metadata), for tests that must not
 * depend on a vendor's data.
 * @param networks what is told of each network, such as `203.0.113.0/24` or `2001:db8::/32`
 */
export function geoData(networks: Readonly<Record<string, Value>>): Buffer {
  const nodes: [Child, Child][] = [[undefined, undefined]];
  const data: Buffer[] = [];
  let dataLength = 0;
  for (const [network, value] of Object.entries(networks)) {
    const bits = bitsOf(network);
    let at = 0;
    for (const bit of bits.slice(0, -1)) {
      const node = nodes[at] as [Child, Child];
      let next = node[bit]?.node;
      if (next === undefined) {
        next = nodes.push([undefined, undefined]) - 1;
        node[bit] = { node: next };
      }
      at = next;
    }
    (nodes[at] as [Child, Child])[bits.at(-1) as Bit] = { data: dataLength };
    const bytes = encode(value);
    data.push(bytes);
    dataLength += bytes.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  nodes.flat().forEach((child, i) => {
    const record = child?.node ?? (child?.data === undefined ? nodes.length : nodes.length + 16 + child.data);
    tree.writeUIntBE(record, i * 3, 3);
  });
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: 'Test-City',
    description: { en: 'networks for documentation' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([tree, Buffer.alloc(16), ...data, marker, metadata]);
}

type Bit = 0 | 1;
type Child = { readonly node?: number; readonly data?: number } | undefined;

function bitsOf(network: string): Bit[] {
  const [address = '', length] = network.split('/');
  const groups = isIPv4(address) ? [0, 0, 0, 0, 0, 0, ...inGroups(address)] : expanded(address);
  const bits = groups.flatMap((group) => [...group.toString(2).padStart(16, '0')].map((bit) => Number(bit) as Bit));
  return bits.slice(0, Number(length) + (isIPv4(address) ? 96 : 0));
}

function inGroups(ipv4: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

function expanded(ipv6: string): number[] {
  const [head = '', tail = ''] = ipv6.split('::');
  const of = (part: string): number[] =>
    part.split(':').flatMap((group) => (group ? [Number.parseInt(group, 16)] : []));
  const zeros = Array<number>(8 - of(head).length - of(tail).length).fill(0);
  return [...of(head), ...zeros, ...of(tail)];
}

/** Control byte and content; sizes below 285 are all that is needed. */
function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap((entry) => entry.map(encode))]);
}

function control(type: number, size: number): Buffer {
  const short = Math.min(size, 29);
  const rest = size < 29 ? [] : [size - 29];
  return Buffer.from(type <= 7 ? [type * 32 + short, ...rest] : [short, type - 7, ...rest]);
}
