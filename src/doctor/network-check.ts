/** Checks the network of this host: an interface with an address, and a default route. */

import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type Check, type CheckResult, fail, pass } from './check.ts';

/** `isLocal`: the server is on this host, which needs no default route. */
export function networkCheck(isLocal: boolean, root = '/'): Check {
  return { name: 'network', run: () => checkNetwork(isLocal, root) };
}

async function checkNetwork(isLocal: boolean, root: string): Promise<CheckResult> {
  const externalAddresses = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
      .map(({ address }) => `${name} ${address}`),
  );
  if (externalAddresses.length === 0 && !isLocal)
    return fail(
      'no interface except loopback has an address',
      'there is no link, or DHCP assigned no address',
      'check the cable or the wireless credentials, then run: ip address',
    );
  const routes = await readFile(join(root, 'proc/net/route'), 'utf8').catch(() => '');
  const routes6 = await readFile(join(root, 'proc/net/ipv6_route'), 'utf8').catch(() => '');
  const has4 = routes.split('\n').some((line) => line.split(/\s+/)[1] === '00000000');
  const has6 = routes6.split('\n').some((line) => /^0{32} 00 .* (?!lo$)\S+$/.test(line.trim()));
  if (!has4 && !has6 && !isLocal)
    return fail(
      `${externalAddresses.join(', ')}, but no default route`,
      'this host can reach only its own network',
      'check the default gateway from DHCP, or set one, then run: ip route',
    );
  return pass(
    `${externalAddresses.slice(0, 4).join(', ') || 'loopback only'}${has4 || has6 ? ', default route' : ''}`,
  );
}
