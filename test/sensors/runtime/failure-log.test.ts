/** The log of failing devices: once for each failure, and few lines for one that fails by turns. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PartialReadError } from '../../../src/sensors/runtime/collector.ts';
import { FailureLog } from '../../../src/sensors/runtime/failure-log.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

it('each failing device is logged once, and again if it fails again', async () => {
  const { failing, logged, round } = setup();
  failing.add('a');
  round();
  assert.deepEqual(logged(), ['warn EIO: a']);
  failing.add('b');
  round();
  round();
  assert.deepEqual(logged(), ['warn EIO: b']);
  failing.delete('b');
  round();
  assert.deepEqual(logged(), [], 'another device still fails');
  failing.add('b');
  round();
  assert.deepEqual(logged(), ['warn EIO: b']);
  failing.clear();
  round();
  round();
  assert.deepEqual(logged(), ['info']);
});

it('a device that fails by turns has at most three pairs of lines an hour', async () => {
  const { clock, failing, logged, round } = setup();
  const hour = async () => {
    for (let count = 0; count < 360; count += 1) {
      if (count % 3 === 0) failing.add('a');
      else failing.clear();
      round();
      await clock.advance(10_000);
    }
    return logged();
  };
  const again = 'it fails again and again: further failures within the hour are not logged';
  const pairs = ['warn EIO: a', 'info', 'warn EIO: a', 'info', `warn EIO: a (${again})`, 'info'];
  assert.deepEqual(await hour(), pairs);
  assert.ok((await hour()).length <= pairs.length);
  failing.clear();
  await clock.advance(3_600_000);
  round();
  assert.deepEqual(logged().slice(-1), ['info'], 'the end of the last failure is logged');
});

it('a device that fails by turns beside one that always fails is limited too', async () => {
  const { clock, failing, logged, round } = setup();
  failing.add('broken');
  for (let count = 0; count < 360; count += 1) {
    if (count % 2 === 0) failing.add('a');
    else failing.delete('a');
    round();
    await clock.advance(10_000);
  }
  assert.equal(logged().length, 4);
});

it('a reason of any length is cut to 200 characters', () => {
  const { logged, log } = setup();
  log.fail(new Error('x'.repeat(1000)));
  assert.deepEqual(logged(), [`warn ${'x'.repeat(200)}`]);
});

function setup() {
  const clock = new VirtualClock();
  const recording = new RecordingLogger();
  const log = new FailureLog('bus', recording, clock);
  const failing = new Set<string>();
  return {
    clock,
    failing,
    log,
    round() {
      const failures = new Map([...failing].map((name) => [name, new Error(`EIO: ${name}`)]));
      if (failures.size > 0) log.fail(new PartialReadError({}, failures));
      else log.succeed();
    },
    logged: () =>
      recording.lines.splice(0).map(({ level, fields }) => `${level} ${fields['reason'] ?? ''}`.trim()),
  };
}
