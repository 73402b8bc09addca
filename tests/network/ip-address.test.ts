import { expect, test } from 'vitest';
import { networkPrefix } from '#app/network/ip-address.server.ts';

test.each([
  ['198.51.100.7', '198.51.100.7'],
  ['', ''],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
  ['2001:db8:1:2:3:4:198.51.100.7', '2001:db8:1:2::/64'],
])('the network of %j is %j', (address, network) => {
  expect(networkPrefix(address)).toBe(network);
});

test.each([
  '::ffff:198.51.100.7',
  '::FFFF:198.51.100.7',
  '::ffff:c633:6407',
  '0:0:0:0:0:ffff:c633:6407',
  '0000:0000:0000:0000:0000:ffff:198.51.100.7',
])('the IPv4-mapped address %s has the network 198.51.100.7', (address) => {
  expect(networkPrefix(address)).toBe('198.51.100.7');
});
