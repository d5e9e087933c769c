/** The network of this host: an interface with an address, and a way out of it. */

import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Check, cross, type Finding, tick } from './check.ts';

/** `isLocal`: the server is on this host or its own network, which needs no default route. */
export function networkCheck(isLocal: boolean, root = '/'): Check {
  return { name: 'network', look: () => look(isLocal, root) };
}

async function look(isLocal: boolean, root: string): Promise<Finding> {
  const outward = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
      .map(({ address }) => `${name} ${address}`),
  );
  if (outward.length === 0 && !isLocal)
    return cross(
      'no interface but the loopback has an address',
      'there is no link, or nobody gave this host an address (DHCP)',
      'check the cable or the wireless credentials, then: ip address',
    );
  const routes = await readFile(join(root, 'proc/net/route'), 'utf8').catch(() => '');
  const routes6 = await readFile(join(root, 'proc/net/ipv6_route'), 'utf8').catch(() => '');
  const has4 = routes.split('\n').some((line) => line.split(/\s+/)[1] === '00000000');
  const has6 = routes6.split('\n').some((line) => /^0{32} 00 .* (?!lo$)\S+$/.test(line.trim()));
  if (!has4 && !has6 && !isLocal)
    return cross(
      `${outward.join(', ')}, but no default route`,
      'this host can reach its own network only',
      'check the gateway that DHCP gives, or set one, then: ip route',
    );
  return tick(`${outward.slice(0, 4).join(', ') || 'loopback only'}${has4 || has6 ? ', default route' : ''}`);
}
