import { settings } from './env.server.ts';

const HEAD = `\
# Settings of Latchkey. Copy this file to .env and remove the "# " in front of what you change.
# Variables of the environment win over .env. README.md says more about them.
# Written from app/config/env.server.ts by: npm run env-example
`;

/** Any number of providers: their names are settings too. See providers-env.server.ts. */
const PROVIDERS = `
# OpenID Connect issuers to sign in with: ids of your choice, comma between, and these variables for each
# OIDC_PROVIDERS=acme
# OIDC_ACME_ISSUER=
# OIDC_ACME_CLIENT_ID=
# OIDC_ACME_CLIENT_SECRET=
# OIDC_ACME_NAME=Acme
# OIDC_ACME_SCOPE="openid email profile"

# To sign in with GitHub
# GITHUB_CLIENT_ID=
# GITHUB_CLIENT_SECRET=
# GITHUB_URL=https://github.com
# GITHUB_API_URL=https://api.github.com

# Where traces go; the other variables of OpenTelemetry are read too
# OTEL_EXPORTER_OTLP_ENDPOINT=
`;

/** The npm commands set it, so that a file cannot. */
const SET_BY_COMMANDS = 'NODE_ENV';

/** Returns the text of .env.example: every setting with its meaning and its default, commented out. */
export function envExample(): string {
  const entries = Object.entries(settings.shape)
    .filter(([name]) => name !== SET_BY_COMMANDS)
    .map(
      ([name, schema]) => `\n# ${schema.description}\n# ${name}=${schema.parse(undefined) ?? ''}\n`,
    );
  return [HEAD, ...entries, PROVIDERS].join('');
}
