import { settings } from './env.server.ts';

const HEAD = `\
# Settings of Latchkey. Copy this file to .env and remove the "# " in front of each setting you change.
# Environment variables override .env. README.md explains them.
# Generated from app/config/env.server.ts by: npm run env-example
`;

/** Not in `settings`, because provider ids are part of these names. See provider-settings.server.ts. */
const PROVIDERS = `
# OpenID Connect issuers to sign in with: ids of your choice, separated by commas, and these variables for each
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

# Where to send traces; the other OpenTelemetry variables work too
# OTEL_EXPORTER_OTLP_ENDPOINT=
`;

/** The npm commands set this variable, so setting it in .env has no effect. */
const SET_BY_COMMANDS = 'NODE_ENV';

/** Returns the text of .env.example: every setting with its description and default, commented out. */
export function envExample(): string {
  const entries = Object.entries(settings.shape)
    .filter(([name]) => name !== SET_BY_COMMANDS)
    .map(
      ([name, schema]) => `\n# ${schema.description}\n# ${name}=${schema.parse(undefined) ?? ''}\n`,
    );
  return [HEAD, ...entries, PROVIDERS].join('');
}
