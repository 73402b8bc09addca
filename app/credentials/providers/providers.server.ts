import type { ProviderSettings } from '#app/config/provider-settings.server.ts';
import type { Provider } from './provider.ts';

/** A provider by what a page shows of it. */
export interface NamedProvider {
  id: string;
  name: string;
}

/** Those who can say who a person is, as they are configured. */
export interface Providers {
  /** In the order in which they are offered. */
  list(): NamedProvider[];
  /** null when there is none of that id. */
  find(id: string | undefined): Provider | null;
}

/**
 * Nobody is asked anything yet: each provider is looked up when the first person wants to go there. Where
 * none is configured, what talks to them is not even loaded.
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
