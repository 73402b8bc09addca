import type { Log } from '#app/operations/log.server.ts';
import { createLeakedPasswords } from './leaked-passwords.server.ts';

/** The user who chooses the password. */
interface PasswordOwner {
  email: string;
  name: string;
}

/** Refuses the passwords that an attacker would try first (NIST SP 800-63B-4 §3.1.1.2). */
interface PasswordRules {
  /**
   * Returns why this password must not be set, as the error text of the field; `null` if it may be set.
   * Call it before hashing. Its duration depends on the password only, never on whether the user exists.
   */
  findObjection(password: string, owner: PasswordOwner): Promise<string | null>;
}

interface PasswordRulesOptions {
  /** Address of a range API; `null` checks only against our own list and rules. */
  rangeApi: string | null;
  now: () => Date;
  log: Log;
}

const SITE = 'latchkey';
/** A word with up to this many digits and signs is still that word: a date of birth has ten characters. */
const MAX_EXTRA_CHARACTERS = 12;
/** Shorter parts of a name occur in too many words. */
const SHORTEST_NAME_LETTERS = 3;

const LISTED =
  'This password is on lists of leaked passwords, which are what is tried first. Choose another one.';
const LIKE_OWNER = 'This password is too much like your name or your e-mail. Choose another one.';
const LIKE_SITE = 'This password is too much like the name of this site. Choose another one.';

/** Checks passwords against a built-in list, the user's name and e-mail, our name, and the range API. */
export function createPasswordRules({ rangeApi, now, log }: PasswordRulesOptions): PasswordRules {
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
  // 250 kB: loaded when the first password is set.
  const { default: list } = await import('fxa-common-password-list');
  // In lower case too, because nearly all entries of the list are.
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

/** True if the password is the word, once or repeated, with only a few digits and signs added. */
function isBuiltAround(password: string, word: string): boolean {
  const letters = lettersOf(word);
  if (letters === '') return false;
  const typed = lettersOf(password);
  if (typed === '' || typed.replaceAll(letters, '') !== '') return false;
  return (
    countNonLetters(password) <=
    countNonLetters(word) * (typed.length / letters.length) + MAX_EXTRA_CHARACTERS
  );
}

const lettersOf = (text: string) => plain(text).replace(/[^\p{L}]/gu, '');
const countNonLetters = (text: string) => [...plain(text).replace(/\p{L}/gu, '')].length;
const plain = (text: string) => text.normalize('NFKC').toLowerCase();
