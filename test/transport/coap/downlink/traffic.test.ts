/** The traffic of an idle downlink over CoAP, in virtual time. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { repetitions } from '../../../repetitions.ts';
import { VirtualDownlink } from '../helpers/virtual-downlink.ts';

const HOUR_MS = 3_600_000;

describe('an idle downlink over CoAP', () => {
  for (const [bytes, most] of [
    [2, 1_850],
    [100, 1_850],
    [300, 1_900],
    [400, 2_000],
    [1_000, 3_200],
  ] as const) {
    it(`sends and receives at most ${most} bytes an hour with ${bytes} bytes of attributes`, async () => {
      await using downlink = new VirtualDownlink();
      if (bytes > 2) downlink.setAttributes({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
      await downlink.run(HOUR_MS);
      assert.ok(downlink.heard.registrations > 10);
      downlink.bytes = 0;
      const hours = repetitions(24, 6);
      await downlink.run(hours * HOUR_MS);
      const hourly = downlink.bytes / hours;
      assert.ok(hourly <= most, `${hourly.toFixed(0)} bytes an hour`);
      assert.deepEqual(downlink.ends, []);
    });
  }
});
