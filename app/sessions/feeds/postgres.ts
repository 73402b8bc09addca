export {
  leasedPostgresFeed as postgresFeed,
  type LeasedPostgresFeedOptions as PostgresFeedOptions,
  type ListeningConnection,
} from '../leases/leased-postgres.ts';
