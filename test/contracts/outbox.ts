/**
 * What every `Outbox` promises: order, a bound that costs the oldest, and an acknowledgement that never takes
 * a reading the server has not seen.
 *
 * `make` gives an empty outbox of that bound. The last claims compare it with a plain array over random
 * histories.
 */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Outbox } from '../../src/core/ports.ts';

export type MakeOutbox = (readingsMax: number) => Outbox;

const RUNS = { seed: 20_261_121, numRuns: 300 };

export function outboxContract(name: string, make: MakeOutbox): void {
  describe(`${name} keeps the outbox contract`, () => {
    describe('readings', () => orderContract(make));
    describe('a full outbox', () => boundContract(make));
    describe('waiting', () => waitContract(make));
    describe('whatever happens, it does what a plain array does', () => modelContract(make));
  });
}

function fill(outbox: Outbox, ...times: readonly number[]): void {
  for (const tsMs of times) outbox.append({ tsMs, values: { a: tsMs } });
}

const waiting = (outbox: Outbox, max = 100_000) => outbox.peek(max).map(({ tsMs }) => tsMs);

function orderContract(make: MakeOutbox): void {
  it('come out in the order in which they went in, as they were', () => {
    const outbox = make(10);
    fill(outbox, 3, 1, 2);
    assert.deepEqual(waiting(outbox), [3, 1, 2]);
    assert.deepEqual(outbox.peek(1), [{ tsMs: 3, values: { a: 3 } }]);
  });

  it('stay until they are acknowledged: a peek takes nothing away', () => {
    const outbox = make(10);
    fill(outbox, 1, 2);
    assert.deepEqual(waiting(outbox), waiting(outbox));
    assert.equal(outbox.size, 2);
  });

  it('are shown up to as many as are asked for', () => {
    const outbox = make(10);
    fill(outbox, 1, 2, 3);
    assert.deepEqual(waiting(outbox, 2), [1, 2]);
    assert.deepEqual(waiting(outbox, 0), []);
  });

  it('are gone once acknowledged, and only as many as were', () => {
    const outbox = make(10);
    fill(outbox, 1, 2, 3);
    outbox.peek(3);
    outbox.acknowledge(2);
    assert.deepEqual(waiting(outbox), [3]);
    assert.equal(outbox.size, 1);
    assert.equal(outbox.dropped, 0);
  });

  it('that were peeked stay as they were, whatever becomes of the outbox', () => {
    const outbox = make(2);
    fill(outbox, 1, 2);
    const peeked = outbox.peek(2);
    outbox.acknowledge(1);
    fill(outbox, 3, 4);
    assert.deepEqual(
      peeked.map(({ tsMs }) => tsMs),
      [1, 2],
    );
  });

  it('of an empty outbox are none, and acknowledging them is nothing', () => {
    const outbox = make(10);
    assert.deepEqual(outbox.peek(5), []);
    outbox.acknowledge(5);
    fill(outbox, 1);
    assert.deepEqual(waiting(outbox), [1]);
  });
}

function boundContract(make: MakeOutbox): void {
  it('drops the oldest reading for the newest, and counts it', () => {
    const outbox = make(3);
    fill(outbox, 1, 2, 3, 4, 5);
    assert.deepEqual(waiting(outbox), [3, 4, 5]);
    assert.equal(outbox.size, 3);
    assert.equal(outbox.dropped, 2);
  });

  it('drops nothing up to its bound', () => {
    const outbox = make(3);
    fill(outbox, 1, 2, 3);
    assert.equal(outbox.dropped, 0);
  });

  it('that dropped what was peeked does not acknowledge others in its place', () => {
    const outbox = make(3);
    fill(outbox, 1, 2, 3);
    outbox.peek(2);
    fill(outbox, 4);
    outbox.acknowledge(2);
    assert.deepEqual(waiting(outbox), [3, 4]);
  });

  it('that dropped all that was peeked acknowledges nothing', () => {
    const outbox = make(2);
    fill(outbox, 1, 2);
    outbox.peek(2);
    fill(outbox, 3, 4, 5);
    outbox.acknowledge(2);
    assert.deepEqual(waiting(outbox), [4, 5]);
    assert.equal(outbox.dropped, 3);
  });

  it('acknowledges in full what was peeked after the drop', () => {
    const outbox = make(2);
    fill(outbox, 1, 2, 3);
    outbox.peek(2);
    outbox.acknowledge(2);
    assert.equal(outbox.size, 0);
  });

  it('of one reading always holds the newest', () => {
    const outbox = make(1);
    fill(outbox, 1, 2, 3);
    assert.deepEqual(waiting(outbox), [3]);
  });
}

function waitContract(make: MakeOutbox): void {
  it('is over at once when there is a reading', async () => {
    const outbox = make(3);
    fill(outbox, 1);
    await outbox.waitForReading(new AbortController().signal);
  });

  it('is over with the next reading, for everyone who waits', async () => {
    const outbox = make(3);
    const { signal } = new AbortController();
    const guests = [outbox.waitForReading(signal), outbox.waitForReading(signal)];
    fill(outbox, 1);
    await Promise.all(guests);
    assert.equal(outbox.size, 1);
  });

  it('is not over while there is nothing to peek, an acknowledged reading included', async () => {
    const outbox = make(3);
    fill(outbox, 1);
    outbox.peek(1);
    outbox.acknowledge(1);
    let over = false;
    const wait = outbox.waitForReading(new AbortController().signal).then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    fill(outbox, 2);
    await wait;
  });

  it('is over when the signal aborts, or has aborted, and does not reject', async () => {
    const stop = new AbortController();
    const wait = make(3).waitForReading(stop.signal);
    stop.abort(new Error('stopping'));
    await wait;
    await make(3).waitForReading(stop.signal);
  });

  it('leaves no listener in the signal, however it ended', async () => {
    const stop = new AbortController();
    const outbox = make(3);
    const first = outbox.waitForReading(stop.signal);
    fill(outbox, 1);
    await first;
    await outbox.waitForReading(stop.signal);
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  });
}

interface Model {
  readings: number[];
  /** What the last peek showed, and may be acknowledged. */
  shown: number[];
  dropped: number;
  readonly readingsMax: number;
}

type Deed = { readonly do: 'append' | 'peek' | 'acknowledge'; readonly count: number };

function modelContract(make: MakeOutbox): void {
  it('over short histories of a small outbox', () => {
    const check = (readingsMax: number, deeds: Deed[]) => compare(make(readingsMax), readingsMax, deeds);
    fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), history(10, 100), check), RUNS);
  });

  it('over long histories with thousands of readings', () => {
    const check = (deeds: Deed[]) => compare(make(2_000), 2_000, deeds);
    fc.assert(fc.property(history(1_500, 40), check), { ...RUNS, numRuns: 25 });
  });
}

function history(countMax: number, deedsMax: number): fc.Arbitrary<Deed[]> {
  const deed = fc.record({
    do: fc.constantFrom('append', 'append', 'peek', 'acknowledge'),
    count: fc.integer({ min: 0, max: countMax }),
  });
  return fc.array(deed, { maxLength: deedsMax, size: 'max' });
}

function compare(outbox: Outbox, readingsMax: number, deeds: readonly Deed[]): void {
  const model: Model = { readings: [], shown: [], dropped: 0, readingsMax };
  let tsMs = 0;
  for (const deed of deeds) {
    for (let index = 0; deed.do === 'append' && index < deed.count; index += 1) {
      tsMs += 1;
      fill(outbox, tsMs);
      appendTo(model, tsMs);
    }
    if (deed.do === 'peek') {
      model.shown = model.readings.slice(0, deed.count);
      assert.deepEqual(waiting(outbox, deed.count), model.shown);
    }
    if (deed.do === 'acknowledge') {
      const count = Math.min(deed.count, model.shown.length); // never more than the server was sent
      outbox.acknowledge(count);
      const accepted = new Set(model.shown.splice(0, count));
      model.readings = model.readings.filter((reading) => !accepted.has(reading));
      model.shown = [];
    }
    assert.equal(outbox.size, model.readings.length);
    assert.equal(outbox.dropped, model.dropped);
  }
  assert.deepEqual(waiting(outbox), model.readings);
}

function appendTo(model: Model, tsMs: number): void {
  model.readings.push(tsMs);
  if (model.readings.length <= model.readingsMax) return;
  model.readings.shift();
  model.dropped += 1;
}
