/** Who a mail is from. */
export interface Sender {
  /** What stands before the address; '' for none. */
  name: string;
  address: string;
}

const MAX_ADDRESS_CHARACTERS = 254;
/**
 * An address that is one address and nothing else, however it is put into a header or a command of
 * SMTP: of RFC 5322 only atoms with dots, so no blanks, quotes, comments, lists or line breaks.
 */
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;
const SENDER = /^(?:(?<name>[^<>"\p{Cc}]*)<(?<inBrackets>[^<>]+)>|(?<bare>[^<>\s]+))$/u;

/** True for an address to which mail may be sent, and which can do nothing else in a header. */
export function isPlainAddress(address: string): boolean {
  return address.length <= MAX_ADDRESS_CHARACTERS && ADDRESS.test(address);
}

/** Reads `Latchkey <no-reply@example.com>` or `no-reply@example.com`; null when it is neither. */
export function parseSender(text: string): Sender | null {
  const { name, inBrackets, bare } = SENDER.exec(text.trim())?.groups ?? {};
  const address = inBrackets ?? bare ?? '';
  return isPlainAddress(address) ? { name: name?.trim() ?? '', address } : null;
}

/** Who mail is from when nobody says otherwise: the host that people know. */
export function defaultSender(origin: string): Sender {
  const { hostname } = new URL(origin);
  // An address in brackets is spelled otherwise in mail, and is only ever this machine.
  const host = hostname.startsWith('[') ? 'localhost' : hostname;
  return { name: 'Latchkey', address: `no-reply@${host}` };
}
