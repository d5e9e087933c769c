/** The in-memory double keeps the contract of the real store. */

import { credentialStoreContract } from '../contracts/credential-store.ts';
import { MemoryCredentialStore } from '../doubles/memory-credential-store.ts';

credentialStoreContract('MemoryCredentialStore', () => {
  const store = new MemoryCredentialStore();
  return { open: () => store, [Symbol.dispose]: () => {} };
});
