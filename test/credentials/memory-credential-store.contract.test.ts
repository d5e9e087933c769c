/** The double that the rest of the tests trust is held to the contract of the real store. */

import { credentialStoreContract } from '../contracts/credential-store.ts';
import { MemoryCredentialStore } from '../doubles/memory-credential-store.ts';

credentialStoreContract('the store in memory', () => {
  const store = new MemoryCredentialStore();
  return { open: () => store, [Symbol.dispose]: () => {} };
});
