import { createHash } from 'node:crypto';
import type { Log } from '#app/operations/log.server.ts';

export interface LeakedPasswordsOptions {
  /** Address of a range API as that of Have I Been Pwned, version 3. */
  url: string;
  now: () => Date;
  log: Log;
}

const PREFIX_CHARACTERS = 5;
const ANSWER_WITHIN_MS = 1000;
/** Whoever sets a password meanwhile does not wait for an API that is not there. */
const PAUSE_MS = 5 * 60_000;
/** The longest answers, padding included, are a twentieth of it. */
const MAX_CHARACTERS = 1_000_000;
const LINE = /^([0-9A-F]{35}):(\d+)$/;

/**
 * Asks a range API whether a password has leaked. Of the password it learns the first five of the
 * forty characters of its SHA-1, which a thousand others have as well; that there is an answer of
 * roughly one length for each hides it from whoever watches the line (padding).
 *
 * Answers false when it cannot be told: a password is never refused because somebody else is down.
 */
export function createLeakedPasswords({ url, now, log }: LeakedPasswordsOptions) {
  const base = url.replace(/\/+$/, '');
  let pausedUntilMs = -Infinity;

  return async function hasLeaked(password: string): Promise<boolean> {
    if (now().getTime() < pausedUntilMs) return false;
    const hash = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase();
    const [prefix, suffix] = [hash.slice(0, PREFIX_CHARACTERS), hash.slice(PREFIX_CHARACTERS)];
    try {
      return has(await fetchRange(`${base}/range/${prefix}`), suffix);
    } catch (error) {
      const nowMs = now().getTime();
      // Others that were under way have said so already.
      if (nowMs >= pausedUntilMs) log.warn({ reason: reasonOf(error) }, PAUSED);
      pausedUntilMs = nowMs + PAUSE_MS;
      return false;
    }
  };
}

const PAUSED = 'leaked passwords cannot be looked up; for five minutes nobody asks';

async function fetchRange(address: string): Promise<string> {
  const response = await fetch(address, {
    headers: { 'Add-Padding': 'true', 'User-Agent': 'Latchkey', Accept: 'text/plain' },
    redirect: 'error',
    // For the body as well.
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
      throw new Error('Its answer is too long.');
    }
  }
}

/** Padding has a count of zero. */
function has(range: string, suffix: string): boolean {
  const lines = range.split(/\r?\n/).filter((line) => line !== '');
  const matches = lines.map((line) => LINE.exec(line.trim().toUpperCase()));
  // A page of whatever stands in between, say a sign-in to the network, is no answer.
  if (matches.includes(null)) throw new Error('It answered something else.');
  return matches.some((match) => match?.[1] === suffix && Number(match[2]) > 0);
}

// Only this: what else an error may quote, such as the address, is nobody's business.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_WITHIN_MS} ms`;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
