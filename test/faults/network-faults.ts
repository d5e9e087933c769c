/** Faults on the way: names, ports, firewalls. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate, parse } from 'coap-packet';
import {
  type Broken,
  coapCode,
  type Fault,
  type Place,
  toml,
  UNREACHABLE_URL,
  udpUrl,
  withToken,
} from './fault.ts';

const coapReset = (message: Buffer) =>
  generate({ reset: true, code: '0.00', messageId: parse(message).messageId });

/** In a network of its own: the loopback only, with rules of nft if there are any. */
const inNetwork = (...rules: readonly string[]): readonly string[] => {
  const lines = rules.map((rule) => `nft '${rule}'`);
  return ['unshare', '-n', 'sh', '-ec', ['ip link set lo up', ...lines, 'exec "$0" "$@"'].join('\n')];
};
const firewall = (hook: 'input' | 'output', rule: string) => [
  'add table inet t',
  `add chain inet t c { type filter hook ${hook} priority 0; }`,
  `add rule inet t c ${rule}`,
];

/** A name server of ours. It must be at port 53, so its address is one of the loopback's that nobody else has. */
async function nameServer(
  { later, path }: Place,
  answer: 'server-timeout' | { readonly rcode: number },
  options: string,
): Promise<readonly string[]> {
  const address = `127.${[97, process.pid >> 8, process.pid].map((part) => part & 255).join('.')}`;
  const own = `${address.slice(0, address.lastIndexOf('.'))}.${2 + (nameServers++ % 250)}`;
  const socket = createSocket('udp4');
  socket.bind(53, own);
  await once(socket, 'listening');
  later(() => socket.close());
  socket.on('message', (question, { port, address: from }) => {
    if (answer === 'server-timeout') return;
    const back = Buffer.from(question);
    // RFC 1035, 4.1.1: QR and RA, and the code of the answer; the question as it came.
    back[2] = 0x81;
    back[3] = 0x80 | answer.rcode;
    socket.send(back, port, from);
  });
  return resolving(path, `nameserver ${own}\noptions ${options}\n`);
}
let nameServers = 0;

/** With a resolv.conf of its own. */
async function resolving(path: string, content: string): Promise<readonly string[]> {
  const file = join(path, 'resolv.conf');
  await writeFile(file, content, { mode: 0o644 });
  return ['unshare', '-m', 'sh', '-ec', `mount --bind ${file} /etc/resolv.conf\nexec "$0" "$@"`];
}

const named =
  (within: (at: Place) => Promise<readonly string[]>) =>
  async (at: Place): Promise<Broken> => ({
    config: toml('coap://things.example.com'),
    within: await within(at),
  });

export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: 'UDP port closed',
    event: 'FL-PORT-CLOSED',
    doctor: 'UDP path',
    same: 'a stopped server leaves a closed port',
    make: async () => toml(UNREACHABLE_URL),
  },
  {
    name: 'UDP dropped on the way',
    event: 'FL-PROVISIONING-SLOW',
    doctor: 'UDP path',
    doctorText: 'does not answer a CoAP ping',
    isSlow: true,
    make: async (at) => toml(await udpUrl(at)),
  },
  {
    name: 'something that is no CoAP at the port',
    event: 'FL-PROVISIONING-SLOW',
    doctor: 'UDP path',
    doctorText: 'something that is no CoAP',
    isSlow: true,
    make: async (at) => toml(await udpUrl(at, () => Buffer.from([0xff, 0xff]))),
  },
  {
    name: 'another CoAP server',
    event: 'FL-UNEXPECTED-RESPONSE',
    message: '4.04',
    doctor: 'UDP path',
    doctorText: 'answers 4.04',
    make: async (at) => toml(await udpUrl(at, coapCode('4.04'))),
  },
  {
    name: 'a server that resets every request',
    event: 'FL-CONNECTION-RESET',
    message: 'sent a CoAP reset',
    doctor: 'UDP path',
    make: async (at) => toml(await udpUrl(at, coapReset)),
  },
  {
    name: 'no network',
    event: 'FL-NO-ROUTE',
    message: 'ENETUNREACH',
    doctor: 'network',
    needs: 'network namespaces',
    make: async () => ({ config: toml('coap://192.0.2.1'), within: inNetwork() }),
  },
  {
    name: 'a firewall of this host forbids it',
    event: 'FL-NO-ROUTE',
    message: 'blocked by the firewall of this host',
    doctor: 'UDP path',
    needs: 'nft',
    make: async () => ({
      config: toml('coap://127.0.0.1'),
      within: inNetwork(...firewall('output', 'udp dport 5683 drop')),
    }),
  },
  {
    name: 'TCP dropped on the way',
    event: 'FL-SERVER-TIMEOUT',
    message: 'no connection within 20 s',
    isSlow: true,
    doctor: 'HTTP path',
    needs: 'nft',
    make: async () => ({
      config: withToken('http://127.0.0.1'),
      within: inNetwork(...firewall('input', 'tcp dport 80 drop')),
    }),
  },
  {
    name: 'name of the server unknown',
    event: 'FL-DNS-FAILED',
    message: 'host name not found',
    doctor: 'name resolution',
    doctorText: 'ENOTFOUND',
    needs: 'mounts',
    make: named((at) => nameServer(at, { rcode: 3 }, 'attempts:1')),
  },
  {
    name: 'DNS broken',
    event: 'FL-DNS-FAILED',
    message: 'no DNS server responds',
    doctor: 'name resolution',
    doctorText: 'EAI_AGAIN',
    needs: 'mounts',
    make: named(({ path }) => resolving(path, 'nameserver 127.97.0.1\noptions attempts:1 timeout:1\n')),
  },
  {
    name: 'DNS slow',
    event: 'FL-DNS-FAILED',
    message: 'no DNS server responded within 10 s',
    doctor: 'name resolution',
    doctorText: 'in 15 s',
    isSlow: true,
    needs: 'mounts',
    make: named((at) => nameServer(at, 'server-timeout', 'attempts:1 timeout:30')),
  },
];
