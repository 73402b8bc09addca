import { describeStoreContract } from './store-contract.ts';

describeStoreContract('seven storage callbacks', {
  address: () => ({ kind: 'callbacks', functions: 7 }),
  isSharedByNodes: false,
  lacks: ['renewSession', 'nameSession', 'listSessions'],
});

describeStoreContract('the four required storage callbacks', {
  address: () => ({ kind: 'callbacks', functions: 4 }),
  isSharedByNodes: false,
  lacks: [
    'renewSession',
    'nameSession',
    'listSessions',
    'fetchSessionsForUser',
    'deleteSessionsForUser',
    'trimSessionsForUser',
    'deleteAllExpiredSessions',
  ],
});
