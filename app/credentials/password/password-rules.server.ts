import type { Log } from '#app/operations/log.server.ts';
import { createLeakedPasswords } from './leaked-passwords.server.ts';

/** Whose password it would be. */
export interface PasswordOwner {
  email: string;
  name: string;
}

/** Passwords that somebody who guesses would try first (NIST SP 800-63B-4 §3.1.1.2). */
export interface PasswordRules {
  /**
   * Why this password must not be set, in words for the field; null when nothing speaks against it.
   * Ask before a password is hashed. How long it takes depends on the password only, and never on
   * whether there is such a person.
   */
  findObjection(password: string, owner: PasswordOwner): Promise<string | null>;
}

export interface KnownPasswordsOptions {
  /** Address of a range API; null: only what we know ourselves is refused. */
  rangeApi: string | null;
  now: () => Date;
  log: Log;
}

const SITE = 'latchkey';
/** Digits and signs that make no other password of a word: a birthday has ten, and something around it. */
const MAX_TRIMMINGS = 12;
/** Shorter parts of a name are in too many words. */
const SHORTEST_NAME_LETTERS = 3;

const LISTED =
  'This password is on lists of leaked passwords, which are what is tried first. Choose another one.';
const LIKE_OWNER = 'This password is too much like your name or your e-mail. Choose another one.';
const LIKE_SITE = 'This password is too much like the name of this site. Choose another one.';

/** Knows bad passwords: a list of its own, the words around the person, and the range API. */
export function createPasswordRules({ rangeApi, now, log }: KnownPasswordsOptions): PasswordRules {
  const hasLeaked = rangeApi === null ? null : createLeakedPasswords({ url: rangeApi, now, log });
  return {
    async findObjection(password, owner) {
      if (isBuiltAround(password, SITE)) return LIKE_SITE;
      if (wordsOf(owner).some((word) => isBuiltAround(password, word))) return LIKE_OWNER;
      if (await isListed(password)) return LISTED;
      return hasLeaked && (await hasLeaked(password)) ? LISTED : null;
    },
  };
}

async function isListed(password: string): Promise<boolean> {
  // 250 kB that nobody needs before the first password is set.
  const { default: list } = await import('fxa-common-password-list');
  // As typed, and as it stands in the list: that one is nearly all in lower case.
  return list.test(password) || list.test(password.toLowerCase());
}

function wordsOf({ email, name }: PasswordOwner): string[] {
  const localPart = email.slice(0, Math.max(0, email.lastIndexOf('@')));
  const parts = [...name.split(/\s+/), ...localPart.split(/[^\p{L}]+/u)];
  return [
    email,
    localPart,
    name,
    name.split(/\s+/).reverse().join(''),
    ...parts.filter((part) => lettersOf(part).length >= SHORTEST_NAME_LETTERS),
  ];
}

/** True when the password is the word, once or over and over, with some digits and signs around it. */
function isBuiltAround(password: string, word: string): boolean {
  const letters = lettersOf(word);
  if (letters === '') return false;
  const typed = lettersOf(password);
  if (typed === '' || typed.replaceAll(letters, '') !== '') return false;
  return othersIn(password) <= othersIn(word) * (typed.length / letters.length) + MAX_TRIMMINGS;
}

const lettersOf = (text: string) => plain(text).replace(/[^\p{L}]/gu, '');
const othersIn = (text: string) => [...plain(text).replace(/\p{L}/gu, '')].length;
const plain = (text: string) => text.normalize('NFKC').toLowerCase();
