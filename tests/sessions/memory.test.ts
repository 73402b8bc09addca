import { describeStoreContract } from './store-contract.ts';

describeStoreContract('memory', { address: () => ({ kind: 'memory' }), isSharedByNodes: false });
