/** ChildAbortController: it follows its parent, aborts alone, and leaves no listener behind. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { it } from 'node:test';
import { ChildAbortController, DEADLINE } from '../../../src/core/async/abort.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

it('a child controller aborts with its parent', () => {
  const other = new AbortController();
  using linked = new ChildAbortController(other.signal);
  assert.equal(linked.signal.aborted, false);
  other.abort();
  assert.equal(linked.signal.aborted, true);
});

it('a child controller of an aborted parent is aborted', () => {
  using linked = new ChildAbortController(AbortSignal.abort());
  assert.equal(linked.signal.aborted, true);
});

it('a child controller passes on whether a deadline or a stop aborted it', () => {
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

it('a child controller aborts without its parent', () => {
  const other = new AbortController();
  using linked = new ChildAbortController(other.signal);
  linked.abort();
  assert.equal(linked.signal.aborted, true);
  assert.equal(other.signal.aborted, false);
});

it('a disposed child controller no longer follows its parent', () => {
  const other = new AbortController();
  const linked = new ChildAbortController(other.signal);
  linked[Symbol.dispose]();
  other.abort();
  assert.equal(linked.signal.aborted, false);
});

it('10,000 child controllers leave no listener in the parent signal', () => {
  const { signal } = new AbortController();
  for (let round = 0; round < 10_000; round += 1) {
    using linked = new ChildAbortController(signal);
    if (round % 2 === 0) linked.abort();
    assert.equal(listenersOf(signal), 1);
  }
  assert.equal(listenersOf(signal), 0);
});
