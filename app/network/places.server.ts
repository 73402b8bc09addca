import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { createRequire } from 'node:module';
import { Reader, type Response } from 'maxmind';

/** Finds the country of an IP address, without any network request. */
export interface Places {
  /** Returns the ISO 3166-1 alpha-2 code; `null` if the address is private, reserved or unknown. */
  countryOf(ipAddress: string): string | null;
  /** Returns "Austria", "Local network" or "Unknown place". */
  describe(ipAddress: string, country: string | null): string;
}

const DATABASE = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb';

/** The record of an address in this database. */
interface CountryResponse {
  country_code?: string;
}

// Addresses that have no place: RFC 1918, 6598, 3927, 4193, 4291.
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

// Addresses for documentation (RFC 5737, 3849), for which the database names their registrant's country.
const exampleNetworks = () => {
  const list = new BlockList();
  list.addSubnet('192.0.2.0', 24);
  list.addSubnet('198.51.100.0', 24);
  list.addSubnet('203.0.113.0', 24);
  list.addSubnet('2001:db8::', 32, 'ipv6');
  return list;
};

/**
 * Opens the embedded country database (CC0, from WHOIS data).
 *
 * @throws if the file is missing.
 */
export async function openPlaces(): Promise<Places> {
  const file = createRequire(import.meta.url).resolve(DATABASE);
  await access(file);
  let reader: Reader<CountryResponse & Response> | undefined;
  // Read at the first look-up, so that the start does not wait for 8 MiB.
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
