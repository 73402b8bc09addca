# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:24-slim

# What a build takes, of which little stays.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages ./packages
# No package has to run a script: SQLite's binaries for this Node are in better-sqlite3-13.
RUN npm ci --include=dev --workspaces=false --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.js
# Left are the packages that the build was made with, less those that only a build needs. npm keeps
# Prisma's command line, which the client has as an optional peer; this application does not use it.
RUN npm prune --omit=dev --workspaces=false --no-audit --no-fund --ignore-scripts \
  && cd node_modules \
  && rm -rf better-sqlite3-12 better-sqlite3-13/deps better-sqlite3-13/src \
  && rm -rf prisma typescript effect @prisma/studio-core @prisma/dev @prisma/engines* \
  && find @prisma/client/runtime -name '*mysql*' -delete \
  && find @prisma/client/runtime -name '*sqlserver*' -delete \
  && find @prisma/client/runtime -name '*cockroachdb*' -delete \
  && find . -name '*.map' -type f -delete \
  && find ../dist -name '*.map' -delete \
  && mkdir ../data

FROM ${NODE_IMAGE}
WORKDIR /app
# A container is reached from outside of itself, and has no IPv6 unless somebody sees to it.
ENV NODE_ENV=production HOST=0.0.0.0
# Everything belongs to root but the data: whoever breaks in cannot change what runs.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages/better-sqlite3 ./packages/better-sqlite3
COPY --from=build /app/scripts ./scripts
COPY --from=build /app/prisma/sqlite/migrations ./prisma/sqlite/migrations
COPY --from=build /app/prisma/postgresql/migrations ./prisma/postgresql/migrations
COPY --from=build /app/build ./build
COPY --from=build /app/dist ./dist
COPY --from=build --chown=node:node --chmod=700 /app/data ./data
USER node
VOLUME /app/data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "scripts/run-built.js"]
CMD ["server"]
