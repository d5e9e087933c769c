/** How many data points a message has after refused and accepted messages. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageSize } from '../../../src/core/delivery/message-size.ts';

const MINUTE_MS = 60_000;

/** A sender of messages of at most `points`, each ten seconds after the one before. */
class Sender {
  readonly size = new MessageSize();
  readonly accepts: (points: number, nowMs: number) => boolean;
  nowMs = 0;
  refused = 0;
  /** Single values, sent because nothing was accepted. */
  probes = 0;

  constructor(accepts: Sender['accepts']) {
    this.accepts = accepts;
  }

  /** Sends one message of so many points, or of as many as allowed. */
  send(points: number): void {
    this.nowMs += 10_000;
    const isProbe = this.size.takeProbe();
    if (isProbe) this.probes += 1;
    const sent = isProbe ? 1 : Math.min(points, this.size.pointsMax);
    if (this.accepts(sent, this.nowMs)) this.size.onAccepted(sent, this.nowMs);
    else {
      this.refused += 1;
      this.size.onRefused(sent, this.nowMs);
    }
  }
}

describe('the size of messages', () => {
  it('is not limited at first, nor by refusals of a minute', () => {
    const sender = new Sender((_, nowMs) => nowMs > MINUTE_MS);
    for (let count = 0; count < 20; count += 1) sender.send(36);
    assert.equal(sender.size.isLimited, false);
    assert.equal(sender.refused, 6);
  });

  it('is halved if smaller messages are accepted and none as large', () => {
    const sender = new Sender((points) => points <= 20);
    for (let count = 0; count < 10; count += 1) {
      sender.send(36);
      sender.send(12);
    }
    assert.equal(sender.size.pointsMax, 18);
  });

  it('is not halved if as large messages are accepted in between', () => {
    const sender = new Sender((_, nowMs) => nowMs % 50_000 === 0);
    for (let sent = 0; sent < 200; sent += 1) sender.send(36);
    assert.equal(sender.size.isLimited, false);
  });

  it('stays the same in an outage, with single values at growing intervals', () => {
    const outageMs = 24 * 60 * MINUTE_MS;
    const sender = new Sender((_, nowMs) => nowMs > outageMs);
    while (sender.nowMs < outageMs) sender.send(36);
    assert.equal(sender.size.isLimited, false);
    assert.ok(sender.probes >= 5 && sender.probes <= 15, `${sender.probes}`);
  });

  it('is full again after two messages if an outage ends with a single value', () => {
    let isOver = false;
    const sender = new Sender((points) => {
      isOver ||= points === 1;
      return isOver;
    });
    while (!isOver) sender.send(36);
    assert.equal(sender.size.pointsMax, 18);
    for (let count = 0; count < 2; count += 1) sender.send(36);
    assert.equal(sender.size.pointsMax, 72);
  });

  it('finds a limit below the smallest message, however small', () => {
    for (const limit of [1, 2, 3, 7, 14]) {
      const sender = new Sender((points) => points <= limit);
      for (let count = 0; count < 200; count += 1) sender.send(30);
      const { pointsMax } = sender.size;
      assert.ok(pointsMax <= limit && pointsMax > limit / 2 - 1, `${pointsMax} of ${limit}`);
    }
  });

  it('is tried again at growing intervals, at the cost of one refusal each', () => {
    const sender = new Sender((points) => points <= 20);
    for (let count = 0; count < 10; count += 1) {
      sender.send(36);
      sender.send(12);
    }
    const before = sender.refused;
    const hours = 24;
    for (const untilMs = sender.nowMs + hours * 60 * MINUTE_MS; sender.nowMs < untilMs; ) sender.send(36);
    const trials = sender.refused - before;
    assert.ok(trials >= 8 && trials <= 20, `${trials}`);
    assert.equal(sender.size.pointsMax, 18);
  });

  it('is not limited any more when the server accepts larger messages', () => {
    let limit = 20;
    const sender = new Sender((points) => points <= limit);
    for (let count = 0; count < 10; count += 1) {
      sender.send(36);
      sender.send(12);
    }
    limit = 1_000;
    for (let count = 0; count < 60; count += 1) sender.send(600);
    assert.equal(sender.size.isLimited, false);
  });
});
