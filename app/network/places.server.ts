import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'maxmind';

/** Tells where an address is, as far as anyone can without asking somebody else. */
export interface Places {
  /** ISO 3166-1 alpha-2 of an address; null when it is private, reserved or not known. */
  countryOf(ipAddress: string): string | null;
  /** "Austria", "Local network" or "Unknown place". */
  describe(ipAddress: string, country: string | null): string;
}

const DATABASE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';

/** What this database says of an address. */
interface CountryResponse {
  country_code?: string;
}

// RFC 1918, 6598, 3927, 4193, 4291: addresses that say nothing of a place.
const localNetworks = () => {
  const list = new BlockList();
  list.addSubnet('10.0.0.0', 8);
  list.addSubnet('172.16.0.0', 12);
  list.addSubnet('192.168.0.0', 16);
  list.addSubnet('100.64.0.0', 10);
  list.addSubnet('169.254.0.0', 16);
  list.addSubnet('127.0.0.0', 8);
  list.addSubnet('::1', 128, 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
};

// RFC 5737, 3849: addresses for examples, which the database gives to whoever registered them.
const exampleNetworks = () => {
  const list = new BlockList();
  list.addSubnet('192.0.2.0', 24);
  list.addSubnet('198.51.100.0', 24);
  list.addSubnet('203.0.113.0', 24);
  list.addSubnet('2001:db8::', 32, 'ipv6');
  return list;
};

/**
 * The embedded country database (CC0, from WHOIS data). Nothing is asked over the network.
 *
 * @throws when it is not there.
 */
export async function openPlaces(): Promise<Places> {
  const file = createRequire(import.meta.url).resolve(DATABASE);
  await access(file);
  let reader: Reader<CountryResponse & Response> | undefined;
  // At the first sign-in: its 8 MiB take a few milliseconds then, and no start has to wait for them.
  const open = () => (reader ??= new Reader<CountryResponse & Response>(readFileSync(file)));
  const local = localNetworks();
  const examples = exampleNetworks();
  const regionNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

  const isIn = (list: BlockList, ipAddress: string) =>
    (isIPv4(ipAddress) && list.check(ipAddress, 'ipv4')) ||
    (isIPv6(ipAddress) && list.check(ipAddress, 'ipv6'));
  const isLocal = (ipAddress: string) => isIn(local, ipAddress);

  return {
    countryOf(ipAddress) {
      if (!isIPv4(ipAddress) && !isIPv6(ipAddress)) return null;
      if (isLocal(ipAddress) || isIn(examples, ipAddress)) return null;
      return open().get(ipAddress)?.country_code ?? null;
    },
    describe(ipAddress, country) {
      if (isLocal(ipAddress)) return 'Local network';
      return (country && /^[A-Z]{2}$/.test(country) && regionNames.of(country)) || 'Unknown place';
    },
  };
}
