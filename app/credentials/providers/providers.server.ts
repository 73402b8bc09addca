import type { ProviderSettings } from '#app/config/provider-settings.server.ts';
import type { Provider } from './provider.ts';

/** What a page shows of a provider. */
interface NamedProvider {
  id: string;
  name: string;
}

/** The configured identity providers. */
export interface Providers {
  /** Returns them in the order in which pages offer them. */
  list(): NamedProvider[];
  /** Returns the provider of that id; `null` if there is none. */
  find(id: string | undefined): Provider | null;
}

/**
 * Makes the providers without any request: discovery happens on the first sign-in. Without a configured
 * provider, the OpenID library is not loaded.
 */
export async function createProviders(settings: ProviderSettings[]): Promise<Providers> {
  const providers = await Promise.all(settings.map(openProvider));
  return {
    list: () => providers.map(({ id, name }) => ({ id, name })),
    find: (id) => providers.find((one) => one.id === id) ?? null,
  };
}

async function openProvider(settings: ProviderSettings): Promise<Provider> {
  return settings.kind === 'github'
    ? (await import('./github-provider.server.ts')).gitHubProvider(settings)
    : (await import('./openid-provider.server.ts')).openIdProvider(settings);
}
