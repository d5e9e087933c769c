/** An abort that follows another, can happen alone, and leaves nothing behind in the one it followed. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { it } from 'node:test';
import { ChildAbortController, DEADLINE } from '../../../src/core/async/abort.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

it('it happens when the other aborts', () => {
  const other = new AbortController();
  using linked = new ChildAbortController(other.signal);
  assert.equal(linked.signal.aborted, false);
  other.abort();
  assert.equal(linked.signal.aborted, true);
});

it('it has happened already when the other has', () => {
  using linked = new ChildAbortController(AbortSignal.abort());
  assert.equal(linked.signal.aborted, true);
});

it('it says whether it came too late or was told to stop', () => {
  const [late, stopped] = [new AbortController(), new AbortController()];
  using afterLate = new ChildAbortController(late.signal);
  using afterStop = new ChildAbortController(stopped.signal);
  late.abort(DEADLINE);
  stopped.abort('for another reason');
  assert.equal(afterLate.signal.reason, DEADLINE);
  assert.notEqual(afterStop.signal.reason, DEADLINE);
  assert.ok(afterStop.signal.aborted);
  using already = new ChildAbortController(late.signal);
  assert.equal(already.signal.reason, DEADLINE);
});

it('it can happen alone, and the other goes on', () => {
  const other = new AbortController();
  using linked = new ChildAbortController(other.signal);
  linked.abort();
  assert.equal(linked.signal.aborted, true);
  assert.equal(other.signal.aborted, false);
});

it('let go, it follows no more', () => {
  const other = new AbortController();
  const linked = new ChildAbortController(other.signal);
  linked[Symbol.dispose]();
  other.abort();
  assert.equal(linked.signal.aborted, false);
});

it('ten thousand of them leave no listener in a signal that lives for years', () => {
  const { signal } = new AbortController();
  for (let round = 0; round < 10_000; round += 1) {
    using linked = new ChildAbortController(signal);
    if (round % 2 === 0) linked.abort();
    assert.equal(listenersOf(signal), 1);
  }
  assert.equal(listenersOf(signal), 0);
});
