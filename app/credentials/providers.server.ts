import type { ProviderSettings } from '#app/providers-env.server.ts';
import { gitHubProvider } from './github-provider.server.ts';
import { openIdProvider } from './openid-provider.server.ts';
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

/** Nobody is asked anything yet: each provider is looked up when the first person wants to go there. */
export function createProviders(settings: ProviderSettings[]): Providers {
  const providers = settings.map((one) =>
    one.kind === 'github' ? gitHubProvider(one) : openIdProvider(one),
  );
  return {
    list: () => providers.map(({ id, name }) => ({ id, name })),
    find: (id) => providers.find((one) => one.id === id) ?? null,
  };
}
