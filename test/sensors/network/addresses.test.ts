/** The addresses of the host: those of container bridges are left out, and odd lines cost nothing else. */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';

const ROUTE_HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

/** `192.0.2.0` as /proc/net/route has it. */
function hexOf(address: string): string {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return bytes.toReversed().join('').toUpperCase();
}

interface Subnet {
  readonly name: string;
  readonly address: string;
  readonly network: string;
  readonly mask?: string;
}

/** A host with these addresses and their routes; the default route is that of `gateway`. */
function hostWith(t: TestContext, subnets: readonly Subnet[], gateway: string): CapturedHost {
  const host = new CapturedHost('raspberry-pi-4', t);
  const leaves = subnets.map(({ address }) => `        |-- ${address}\n           /32 host LOCAL\n`);
  host.write('proc/net/fib_trie', `Local:\n  +-- 0.0.0.0/0 3 0 5\n${leaves.join('')}`);
  const routes = subnets.map(
    ({ name, network, mask = '255.255.255.0' }) =>
      `${name}\t${hexOf(network)}\t00000000\t0001\t0\t0\t0\t${hexOf(mask)}\t0\t0\t0\n`,
  );
  const defaultRoute = `${gateway}\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;
  host.write('proc/net/route', `${ROUTE_HEADING}${defaultRoute}${routes.join('')}`);
  return host;
}

const BRIDGES = [17, 18, 19, 20, 21, 22].map((byte, at) => ({
  name: at === 0 ? 'docker0' : `br-0a1b2c3d4e5${at}`,
  address: `172.${byte}.0.1`,
  network: `172.${byte}.0.0`,
  mask: '255.255.0.0',
}));
const LAN = { name: 'eth0', address: '192.168.1.50', network: '192.168.1.0' };

it('addresses of the bridges of a container engine are left out', async (t) => {
  const host = hostWith(t, [...BRIDGES, LAN], 'eth0');
  assert.equal((await host.sampleAfter(0))['ipv4Addresses'], '192.168.1.50');
});

it('the addresses of the default route come first, all others follow in order', async (t) => {
  const dummies = [1, 2, 3, 4, 5, 6].map((byte) => ({
    name: `dummy${byte}`,
    address: `10.0.${byte}.1`,
    network: `10.0.${byte}.0`,
  }));
  const values = await hostWith(t, [...dummies, LAN], 'eth0').sampleAfter(0);
  assert.equal(values['ipv4Addresses'], '192.168.1.50,10.0.1.1,10.0.2.1,10.0.3.1,10.0.4.1,10.0.5.1');
});

it('an address in a subnet of two interfaces is that of the longer prefix', async (t) => {
  const wide = { name: 'docker0', address: '172.17.0.1', network: '172.16.0.0', mask: '255.240.0.0' };
  const narrow = { name: 'eth0', address: '172.20.5.9', network: '172.20.5.0' };
  const values = await hostWith(t, [wide, narrow], 'eth0').sampleAfter(0);
  assert.equal(values['ipv4Addresses'], '172.20.5.9');
});

it('without routes every address is reported', async (t) => {
  const host = hostWith(t, [...BRIDGES.slice(0, 1), LAN], 'eth0');
  host.remove('proc/net/route');
  assert.equal((await host.sampleAfter(0))['ipv4Addresses'], '172.17.0.1,192.168.1.50');
});

it('the address of a container is reported', async (t) => {
  const container = new CapturedHost('container', t);
  assert.equal((await container.sampleAfter(0))['ipv4Addresses'], '172.17.0.2');
});

it('IPv6 addresses of a container bridge are left out', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const line = (address: string, name: string) => `${address} 02 40 00 80 ${name.padStart(8)}\n`;
  pi.write(
    'proc/net/if_inet6',
    line('fd000000000000000000000000000001', 'docker0') +
      line('20010db8000000000000000000000042', 'eth0') +
      line('20010db8000000000000000000000007', 'wlan0'),
  );
  assert.equal((await pi.sampleAfter(0))['ipv6Addresses'], '2001:db8::42,2001:db8::7');
});

for (const line of [
  '           /0 universe UNICAST tos=16',
  '           /24 scope=100 UNICAST',
  '           /24 link type 12',
]) {
  it(`the route "${line.trim()}" costs no address`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    const well = await pi.sampleAfter(0);
    pi.edit('proc/net/fib_trie', /^ +\/0 universe UNICAST\n/m, (route = '') => `${route}${line}\n`);
    const values = await pi.sampleAfter(60_000);
    assert.equal(values['ipv4Addresses'], '192.0.2.17,198.51.100.23');
    assert.equal(values['ipv6Addresses'], well['ipv6Addresses']);
    assert.deepEqual(pi.logger.lines, []);
  });
}

it('an unreadable table of one family does not affect the other', async (t) => {
  for (const [path, lost, kept] of [
    ['proc/net/fib_trie', 'ipv4Addresses', 'ipv6Addresses'],
    ['proc/net/if_inet6', 'ipv6Addresses', 'ipv4Addresses'],
  ] as const) {
    const pi = new CapturedHost('raspberry-pi-4', t);
    pi.write(path, `${pi.read(path)}garbage: %\n`);
    const values = await pi.sampleAfter(0);
    assert.equal(lost in values, false);
    assert.equal(kept in values, true);
    assert.deepEqual(pi.logger.lines, ['warn addresses']);
  }
});
