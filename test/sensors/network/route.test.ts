/** The default route beside lines that are no route. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';

it('an invalid route to another network does not affect the default route', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.edit('proc/net/route', /(wlan0\t006433C6\t00000000\t0001\t0\t0\t)600/, (_, head = '') => `${head}x`);
  const { defaultRouteInterface, defaultRouteGateway } = await pi.sampleAfter(0);
  assert.deepEqual([defaultRouteInterface, defaultRouteGateway], ['eth0', '192.0.2.1']);
});

it('a table without a line, or with its heading alone, has no default route', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const [heading = ''] = pi.read('proc/net/route').split('\n');
  pi.write('proc/net/ipv6_route', '');
  for (const text of ['', `${heading}\n`]) {
    pi.write('proc/net/route', text);
    assert.equal((await pi.sampleAfter(1_000))['defaultRouteInterface'], 'none', JSON.stringify(text));
  }
  assert.deepEqual(pi.logger.lines, []);
});

for (const line of ['%', 'eth1\t0000000x\t010200C0\t0003\t0\t0\t5\t00000000\t0\t0\t0']) {
  it(`a line that can be a default route makes it uncertain: ${JSON.stringify(line)}`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write('proc/net/route', `${pi.read('proc/net/route')}${line}\n`);
    assert.equal('defaultRouteInterface' in (await pi.sampleAfter(0)), false);
    assert.ok(pi.logger.lines.includes('warn route'));
  });
}

it('the route follows each change of the table, also from valid to uncertain and back', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const before = pi.read('proc/net/route');
  const sample = async () => {
    const { defaultRouteInterface, defaultRouteGateway } = await pi.sampleAfter(1_000);
    return [defaultRouteInterface, defaultRouteGateway];
  };
  assert.deepEqual(await sample(), ['eth0', '192.0.2.1']);
  pi.write('proc/net/route', `${before}%\n`);
  assert.deepEqual(await sample(), [undefined, undefined]);
  assert.deepEqual(await sample(), [undefined, undefined]);
  pi.write('proc/net/route', before);
  assert.deepEqual(await sample(), ['eth0', '192.0.2.1']);
  pi.write('proc/net/route', before.replace(/^eth0\t00000000.*\n/m, ''));
  assert.deepEqual((await sample())[0], 'wlan0');
});
