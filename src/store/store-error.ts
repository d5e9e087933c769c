/** What is wrong with the credential store, in one sentence that names the file and the remedy; never its contents. */

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code = 'STORE_FAILED';
}
