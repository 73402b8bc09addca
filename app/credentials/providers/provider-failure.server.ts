import { AuthorizationResponseError } from 'openid-client';
import type { ProviderFailure } from './provider.ts';

/** The error codes with which a provider reports its own failure (RFC 6749 §4.1.2.1). */
const PROVIDER_FAULTS = new Set(['server_error', 'temporarily_unavailable']);
const SERVER_ERROR = 500;
const MAX_CAUSES = 5;

/** Returns what an error of openid-client or of `fetch` means for the user. */
export function classifyProviderError(error: unknown): ProviderFailure {
  if (error instanceof AuthorizationResponseError) {
    if (error.error === 'access_denied') return 'denied';
    return PROVIDER_FAULTS.has(error.error) ? 'unavailable' : 'refused';
  }
  return isOutage(error) ? 'unavailable' : 'refused';
}

function isOutage(error: unknown, depth = 0): boolean {
  if (depth > MAX_CAUSES || typeof error !== 'object' || error === null) return false;
  if (error instanceof Response) return error.status >= SERVER_ERROR;
  const { name, code, message, status, cause } = error as Record<string, unknown>;
  return (
    name === 'TimeoutError' ||
    code === 'OAUTH_TIMEOUT' ||
    (error instanceof TypeError && message === 'fetch failed') ||
    (typeof status === 'number' && status >= SERVER_ERROR) ||
    isOutage(cause, depth + 1)
  );
}
