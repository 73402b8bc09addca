/** The sender of a mail. */
export interface Sender {
  /** The display name before the address; '' if there is none. */
  name: string;
  address: string;
}

const MAX_ADDRESS_CHARACTERS = 254;
/**
 * An address that stays a single address in any mail header or SMTP command. Of RFC 5322 it allows
 * only atoms with dots, so no blanks, quotes, comments, lists or line breaks.
 */
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const SENDER = /^(?:(?<name>[^<>"\p{Cc}]*)<(?<inBrackets>[^<>]+)>|(?<bare>[^<>\s]+))$/u;

/** True if mail may be sent to the address, and it cannot inject anything into a mail header. */
export function isPlainAddress(address: string): boolean {
  return address.length <= MAX_ADDRESS_CHARACTERS && ADDRESS.test(address);
}

/** Parses `Latchkey <no-reply@example.com>` or `no-reply@example.com`; `null` if it is neither. */
export function parseSender(text: string): Sender | null {
  const { name, inBrackets, bare } = SENDER.exec(text.trim())?.groups ?? {};
  const address = inBrackets ?? bare ?? '';
  return isPlainAddress(address) ? { name: name?.trim() ?? '', address } : null;
}

/** Returns the sender to use if MAIL_FROM is not set: no-reply at the host of the origin. */
export function defaultSender(origin: string): Sender {
  const { hostname } = new URL(origin);
  // Mail writes IPv6 addresses differently, and here an IPv6 host can only be this machine.
  const host = hostname.startsWith('[') ? 'localhost' : hostname;
  return { name: 'Latchkey', address: `no-reply@${host}` };
}
