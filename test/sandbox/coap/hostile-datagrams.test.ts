/**
 * Thousands of mutated datagrams from a seed, over the real core, so that mutated bodies reach the JSON parser too.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCoapServer } from '../../../src/sandbox/coap/coap-server.ts';
import { parseDatagram } from '../../../src/sandbox/coap/message.ts';
import { openCore } from '../../../src/sandbox/core/core.ts';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { repetitions } from '../../repetitions.ts';
import { CoapPeer, option, request } from '../helpers/coap-peer.ts';

const SEED = 20260702;
const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';

const seeds: readonly Buffer[] = [
  request('POST', {
    messageId: 1,
    path: '/api/v1/provision',
    payload: '{"deviceName":"gw-0001","provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}',
  }),
  request('POST', {
    messageId: 2,
    path: `/api/v1/${TOKEN}/telemetry`,
    payload: '[{"ts":1700000000000,"values":{"cpu":12.5}},{"a":"007"}]',
  }),
  request('POST', {
    messageId: 3,
    path: `/api/v1/${TOKEN}/telemetry`,
    options: [option(27, '08'), option(60, '20')],
    payload: '{"a":12345678901',
  }),
  request('GET', { messageId: 4, path: `/api/v1/${TOKEN}/attributes`, query: ['clientKeys=a,b'] }),
  request('GET', { messageId: 5, path: `/api/v1/${TOKEN}/attributes`, options: [option(6, '')] }),
  request('GET', { messageId: 6, path: `/api/v1/${TOKEN}/rpc`, options: [option(6, ''), option(23, '02')] }),
  request('POST', { messageId: 7, path: `/api/v1/${TOKEN}/rpc/3`, payload: '{"ok":true}' }),
  request('GET', { messageId: 8, path: `/fw/${TOKEN}`, query: ['title=t', 'version=1'] }),
  Buffer.from('60000001', 'hex'),
  Buffer.from('70000001', 'hex'),
];

function mutate(random: () => number): Buffer {
  const below = (n: number) => Math.floor(random() * n);
  let datagram = Buffer.from(seeds[below(seeds.length)] ?? Buffer.alloc(4));
  datagram.writeUInt16BE(below(65_536), 2);
  for (let left = 1 + below(4); left > 0; left -= 1) {
    const at = below(datagram.length + 1);
    switch (below(5)) {
      case 0:
        if (at < datagram.length) datagram[at] = below(256);
        break;
      case 1:
        if (at < datagram.length) datagram[at] = (datagram[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
        datagram = datagram.subarray(0, at);
        break;
      case 3:
        datagram = Buffer.concat([
          datagram.subarray(0, at),
          Buffer.from([below(256)]),
          datagram.subarray(at),
        ]);
        break;
      default:
        datagram = Buffer.concat([datagram, Buffer.alloc(below(64), below(256))]);
    }
  }
  return datagram;
}

const DATAGRAMS = repetitions(20_000, 4_000);

test(`the CoAP server works after ${DATAGRAMS} mutated datagrams (seed ${SEED})`, async () => {
  const core = openCore({
    provisioning: { key: 'pk1', secret: 'ps1' },
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: 0 },
  });
  core.admin.createDevice({ name: 'gw-1', token: TOKEN });
  const log: string[] = [];
  const settings = { exchangesMax: 500, transmissionsMax: 300, transfersMax: 20, bodyBytesMax: 10_000 };
  await using server = await openCoapServer({
    core,
    host: '127.0.0.1',
    port: 0,
    settings,
    log: (line) => log.push(line),
  });
  await using peer = await CoapPeer.open(server.port);
  const random = createRandom(SEED);
  let understood = 0;
  for (let sent = 1; sent <= DATAGRAMS; sent += 1) {
    const datagram = mutate(random);
    if (parseDatagram(datagram, { address: '127.0.0.1', port: 1 }) !== undefined) understood += 1;
    peer.send(datagram);
    if (sent % 50 === 0) {
      // Waits until all datagrams have been read, so that none is lost in the kernel's buffer.
      await peer.settle();
      peer.drain();
      core.admin.setSharedAttributes('gw-1', `{"round":${sent}}`);
    }
  }
  const share = understood / DATAGRAMS;
  assert.ok(share > 0.25 && share < 0.95, `${understood} were well-formed`);
  await using fresh = await CoapPeer.open(server.port);
  fresh.send(request('POST', { messageId: 1, path: `/api/v1/${TOKEN}/telemetry`, payload: '{"last":1}' }));
  fresh.answer(await fresh.expect('4141....7a'));
  assert.equal(core.admin.points({ key: 'last' }).length, 1);
  assert.deepEqual(log, []);
  core.close();
});
