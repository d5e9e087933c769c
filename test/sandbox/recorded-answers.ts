/**
 * The sandbox answers as a real ThingsBoard answered: 338 recorded results of the device API, over CoAP and
 * HTTP, and of what was stored. `matches` has its own tests, because a comparison that cannot fail is none.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { CoapPeer, request } from './helpers/coap-peer.ts';
import { readScenario, readValues } from './helpers/recorded-probes.ts';
import { type ReplayTimes, replay } from './helpers/replay.ts';

const SCENARIOS: readonly (readonly [file: string, subject: string])[] = [
  ['provisioning', 'provisioning over CoAP'],
  ['messages', 'paths, methods, options and datagrams over CoAP'],
  ['posts', 'posts, block-wise uploads and reads over CoAP'],
  ['downlink', 'shared attributes, RPC and claims over CoAP'],
  ['http', 'the HTTP device API'],
];

export function testRecordedAnswers(times: ReplayTimes): void {
  describe('the answers of ThingsBoard CE 4.3.1.3', { concurrency: true }, () => {
    for (const [file, subject] of SCENARIOS) {
      test(`${subject}: every answer is as recorded`, async () => {
        const differences = await replay(readScenario(file), times);
        assert.equal(differences.length, 0, `\n${differences.join('\n')}`);
      });
    }

    test('every value is stored as recorded', async () => {
      const values = readValues();
      const stored = await storedValues(
        values.map(({ sent }) => sent),
        times,
      );
      assert.deepEqual(
        values.map(({ name }, index) => [name, stored[index]]),
        values.map(({ name, stored: recorded }) => [name, recorded]),
      );
    });
  });
}

/** Posts each value in a message of its own, which is accepted; the stored values as `type value`. */
async function storedValues(sent: readonly string[], { latencyMs }: ReplayTimes): Promise<readonly string[]> {
  await using sandbox = await openSandbox({
    provisioning: { key: 'KEY', secret: 'SECRET' },
    knobs: { coreLatencyMinMs: latencyMs, coreLatencyMaxMs: latencyMs },
  });
  sandbox.core.admin.createDevice({ name: 'gw', token: 'TOK1' });
  await using peer = await CoapPeer.open(sandbox.coapPort);
  for (const [index, value] of sent.entries()) {
    const payload = `{"ts":${1_700_000_000_000 + index},"values":{"v${index}":${value}}}`;
    peer.send(request('POST', { messageId: index, path: '/api/v1/TOK1/telemetry', payload }));
    peer.answer(await peer.expect('4141....7a'));
  }
  return sent.map((_value, index) => {
    const [point] = sandbox.points({ key: `v${index}` });
    return point === undefined ? 'absent' : `${point.type} ${point.value}`;
  });
}
