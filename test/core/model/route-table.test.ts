/** The IPv4 routes of a host: the default route, and the interface of an address. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  defaultIpv4Route,
  interfaceOfAddress,
  parseIpv4Routes,
} from '../../../src/core/model/route-table.ts';

const HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const table = (...lines: readonly string[]) => parseIpv4Routes(`${HEADING}${lines.join('\n')}\n`);
const line = (
  name: string,
  destination: string,
  gateway: string,
  flags: string,
  metric: number,
  mask: string,
) => `${name}\t${destination}\t${gateway}\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0`;

it('a text without the heading is no table', () => {
  assert.equal(parseIpv4Routes('garbage\n'), undefined);
  assert.equal(parseIpv4Routes('\n'), undefined);
});

it('an empty text and a heading alone are tables without routes', () => {
  for (const text of ['', HEADING])
    assert.deepEqual(parseIpv4Routes(text), { routes: [], hasDoubtfulLine: false });
});

it('the default route is the one with the lowest metric that is up', () => {
  const routes = table(
    line('wlan0', '00000000', '016433C6', '0003', 600, '00000000'),
    line('eth0', '00000000', '010200C0', '0003', 100, '00000000'),
    line('eth1', '00000000', '010200C0', '0002', 1, '00000000'),
    line('*', '00000000', '00000000', '0201', 0, '00000000'),
    line('eth0', '000200C0', '00000000', '0001', 0, '00FFFFFF'),
  )?.routes;
  const { interface: name, gateway } = defaultIpv4Route(routes ?? []) ?? {};
  assert.deepEqual([name, gateway], ['eth0', '010200C0']);
  assert.equal(defaultIpv4Route([]), undefined);
});

it('an address belongs to the subnet with the longest prefix, not to a router', () => {
  const routes =
    table(
      line('wide', '000010AC', '00000000', '0001', 0, '0000F0FF'),
      line('narrow', '000514AC', '00000000', '0001', 0, '00FFFFFF'),
      line('remote', '090514AC', '010200C0', '0003', 0, 'FFFFFFFF'),
      line('eth0', '00000000', '010200C0', '0003', 0, '00000000'),
    )?.routes ?? [];
  assert.equal(interfaceOfAddress(routes, '172.20.5.9'), 'narrow');
  assert.equal(interfaceOfAddress(routes, '172.17.0.1'), 'wide');
  assert.equal(interfaceOfAddress(routes, '192.168.1.50'), undefined);
});

it('an invalid line leaves the default route in doubt unless it is of another network', () => {
  const isDoubtful = (text: string) => table(text)?.hasDoubtfulLine;
  assert.equal(isDoubtful('%'), true);
  assert.equal(isDoubtful(line('eth0', '00000000', 'x', '0003', 0, '00000000')), true);
  assert.equal(isDoubtful(line('eth0', '000200C0', 'x', '0001', 0, '00FFFFFF')), false);
  assert.equal(isDoubtful(line('eth0', '00000000', '010200C0', '0003', 0, '00000000')), false);
});
