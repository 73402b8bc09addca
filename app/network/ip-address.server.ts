import { isIPv6 } from 'node:net';

const GROUPS = 8;
const NETWORK_GROUPS = 4;
/** An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2). */
const MAPPED_IPV4 = '0:0:0:0:0:ffff:';

/**
 * Returns the part of an address that identifies one subscriber: an IPv4 address, or the /64 of an IPv6
 * address (RFC 6177). Within a /64, one subscriber can use 2^64 addresses.
 */
export function networkPrefix(ipAddress: string): string {
  const address = ipAddress.replace(/%.*$/, '');
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  if (groups.join(':').startsWith(MAPPED_IPV4)) return ipv4Of(groups.slice(-2));
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** Returns the eight groups of an IPv6 address, in hexadecimal without leading zeros. */
function groupsOf(ipv6: string): string[] {
  const address = ipv6.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_dotted, ...bytes) =>
    hexGroupsOf(bytes.slice(0, 4).map(Number)),
  );
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}

const hexGroupsOf = ([a = 0, b = 0, c = 0, d = 0]: number[]) =>
  `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;

function ipv4Of(groups: string[]): string {
  const bytes = groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [Math.floor(group / 256), group % 256]);
  return bytes.join('.');
}
