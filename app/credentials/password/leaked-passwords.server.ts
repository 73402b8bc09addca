import { createHash } from 'node:crypto';
import type { Log } from '#app/operations/log.server.ts';

interface LeakedPasswordsOptions {
  /** Address of a range API compatible with Have I Been Pwned, version 3. */
  url: string;
  now: () => Date;
  log: Log;
}

const PREFIX_CHARACTERS = 5;
const ANSWER_WITHIN_MS = 1000;
/** How long the API is not called after a failure, so that users do not wait for an API that is down. */
const PAUSE_MS = 5 * 60_000;
/** Twenty times the longest answer, padding included. */
const MAX_CHARACTERS = 1_000_000;
const LINE = /^([0-9A-F]{35}):(\d+)$/;

/**
 * Returns a function that asks a range API whether a password has leaked. The API learns the first five
 * of the forty characters of the SHA-1, which about a thousand other passwords share. Padded answers have
 * roughly equal lengths, so an observer of the connection cannot tell the prefixes apart.
 *
 * The function returns false if the API fails: an outage of the API never refuses a password.
 */
export function createLeakedPasswords({ url, now, log }: LeakedPasswordsOptions) {
  const base = url.replace(/\/+$/, '');
  let pausedUntilMs = -Infinity;

  return async function hasLeaked(password: string): Promise<boolean> {
    if (now().getTime() < pausedUntilMs) return false;
    const hash = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase();
    const [prefix, suffix] = [hash.slice(0, PREFIX_CHARACTERS), hash.slice(PREFIX_CHARACTERS)];
    try {
      return includesSuffix(await fetchRange(`${base}/range/${prefix}`), suffix);
    } catch (error) {
      const nowMs = now().getTime();
      // Of several concurrent failures only the first is logged.
      if (nowMs >= pausedUntilMs) log.warn({ reason: reasonOf(error) }, PAUSED);
      pausedUntilMs = nowMs + PAUSE_MS;
      return false;
    }
  };
}

const PAUSED = 'leaked passwords cannot be looked up; next attempt in five minutes';

async function fetchRange(address: string): Promise<string> {
  const response = await fetch(address, {
    headers: { 'Add-Padding': 'true', 'User-Agent': 'Latchkey', Accept: 'text/plain' },
    redirect: 'error',
    // Covers the body too.
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`It answered ${response.status}.`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    if (text.length > MAX_CHARACTERS) {
      await reader.cancel();
      throw new Error('The answer of the API is too long.');
    }
  }
}

/** True if the answer lists the suffix. Padding has a count of zero. */
function includesSuffix(range: string, suffix: string): boolean {
  const lines = range.split(/\r?\n/).filter((line) => line !== '');
  const matches = lines.map((line) => LINE.exec(line.trim().toUpperCase()));
  // Something else answered, such as the sign-in page of a network.
  if (matches.includes(null)) throw new Error('The answer is not a range of hashes.');
  return matches.some((match) => match?.[1] === suffix && Number(match[2]) > 0);
}

// No more than this: an error may quote the address, which holds part of the hash.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_WITHIN_MS} ms`;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
