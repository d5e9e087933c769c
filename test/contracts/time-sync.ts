/** The contract of `TimeSync`, for the time sources of the host and for the double. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { TimeSync } from '../../src/core/ports/clock.ts';

export interface TimeSyncUnderTest {
  readonly timeSync: TimeSync;
  /** The time service sets the clock, or confirms it. */
  setByService(): void;
  /** A user or another program sets it. */
  setByHand(): void;
}

export function timeSyncContract(name: string, make: (t: TestContext) => TimeSyncUnderTest): void {
  describe(`${name} keeps the contract of TimeSync`, () => {
    const { signal } = new AbortController();

    it('a clock that no time service has set is not synchronised', async (t) => {
      const { timeSync } = make(t);
      assert.equal(await timeSync.isSynchronised(signal), false);
      assert.equal(await timeSync.isSynchronised(signal), false);
    });

    it('a clock that the time service has set is synchronised', async (t) => {
      const { timeSync, setByService } = make(t);
      await timeSync.isSynchronised(signal);
      setByService();
      assert.equal(await timeSync.isSynchronised(signal), true);
    });

    it('a step by hand is not confirmed until the time service has set the clock again', async (t) => {
      const { timeSync, setByService, setByHand } = make(t);
      setByService();
      assert.equal(await timeSync.isSynchronised(signal), true);
      setByHand();
      assert.equal(await timeSync.confirmsStep(signal), false);
      assert.equal(await timeSync.confirmsStep(signal), false);
      setByService();
      assert.equal(await timeSync.confirmsStep(signal), true);
    });

    it('a step by the time service is confirmed', async (t) => {
      const { timeSync, setByService } = make(t);
      setByService();
      assert.equal(await timeSync.isSynchronised(signal), true);
      setByService();
      assert.equal(await timeSync.confirmsStep(signal), true);
    });

    it('an aborted call resolves to false', async (t) => {
      const { timeSync } = make(t);
      assert.equal(await timeSync.isSynchronised(AbortSignal.abort()), false);
      assert.equal(await timeSync.confirmsStep(AbortSignal.abort()), false);
    });
  });
}
