/** Faults of the network: names, ports, firewalls. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate, parse } from 'coap-packet';
import {
  coapCode,
  type Fault,
  type FaultSetup,
  type Place,
  toml,
  UNREACHABLE_URL,
  udpUrl,
  withToken,
} from './fault.ts';

const coapReset = (message: Buffer) =>
  generate({ reset: true, code: '0.00', messageId: parse(message).messageId });

/** A network of its own with only the loopback, and with the given rules of nft. */
const inNetwork = (...rules: readonly string[]): readonly string[] => {
  const lines = rules.map((rule) => `nft '${rule}'`);
  return ['unshare', '-n', 'sh', '-ec', ['ip link set lo up', ...lines, 'exec "$0" "$@"'].join('\n')];
};
const firewall = (hook: 'input' | 'output', rule: string) => [
  'add table inet t',
  `add chain inet t c { type filter hook ${hook} priority 0; }`,
  `add rule inet t c ${rule}`,
];

/** Opens a name server. It must use port 53, so its address is an unused one of the loopback. */
async function nameServer(
  { later, path }: Place,
  answer: 'silent' | { readonly rcode: number },
  options: string,
): Promise<readonly string[]> {
  const address = `127.${[97, process.pid >> 8, process.pid].map((part) => part & 255).join('.')}`;
  const own = `${address.slice(0, address.lastIndexOf('.'))}.${2 + (nameServers++ % 250)}`;
  const socket = createSocket('udp4');
  socket.bind(53, own);
  await once(socket, 'listening');
  later(() => socket.close());
  socket.on('message', (question, { port, address: from }) => {
    if (answer === 'silent') return;
    const response = Buffer.from(question);
    // RFC 1035, 4.1.1: QR and RA, and the response code; the question is unchanged.
    response[2] = 0x81;
    response[3] = 0x80 | answer.rcode;
    socket.send(response, port, from);
  });
  return withResolvConf(path, `nameserver ${own}\noptions ${options}\n`);
}
let nameServers = 0;

/** Runs with a resolv.conf of its own. */
async function withResolvConf(path: string, content: string): Promise<readonly string[]> {
  const file = join(path, 'resolv.conf');
  await writeFile(file, content, { mode: 0o644 });
  return ['unshare', '-m', 'sh', '-ec', `mount --bind ${file} /etc/resolv.conf\nexec "$0" "$@"`];
}

const withServerName =
  (within: (at: Place) => Promise<readonly string[]>) =>
  async (at: Place): Promise<FaultSetup> => ({
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
    name: 'UDP dropped in the network',
    event: 'FL-PROVISIONING-SLOW',
    doctor: 'UDP path',
    doctorText: 'does not respond to 3 CoAP pings',
    isSlow: true,
    make: async (at) => toml(await udpUrl(at)),
  },
  {
    name: 'something other than CoAP at the port',
    event: 'FL-PROVISIONING-SLOW',
    doctor: 'UDP path',
    doctorText: 'data that is not CoAP',
    isSlow: true,
    make: async (at) => toml(await udpUrl(at, () => Buffer.from([0xff, 0xff]))),
  },
  {
    name: 'foreign CoAP server',
    event: 'FL-UNEXPECTED-RESPONSE',
    message: '4.04',
    doctor: 'UDP path',
    doctorText: 'responds 4.04',
    make: async (at) => toml(await udpUrl(at, coapCode('4.04'))),
  },
  {
    name: 'server that resets every request',
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
    name: 'firewall of this host',
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
    name: 'TCP dropped in the network',
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
    name: 'unknown name of the server',
    event: 'FL-DNS-FAILED',
    message: 'host name not found',
    doctor: 'name resolution',
    doctorText: 'ENOTFOUND',
    needs: 'mounts',
    make: withServerName((at) => nameServer(at, { rcode: 3 }, 'attempts:1')),
  },
  {
    name: 'DNS broken',
    event: 'FL-DNS-FAILED',
    message: 'no DNS server responds',
    doctor: 'name resolution',
    doctorText: 'EAI_AGAIN',
    needs: 'mounts',
    make: withServerName(({ path }) =>
      withResolvConf(path, 'nameserver 127.97.0.1\noptions attempts:1 timeout:1\n'),
    ),
  },
  {
    name: 'DNS slow',
    event: 'FL-DNS-FAILED',
    message: 'no DNS server responded within 10 s',
    doctor: 'name resolution',
    doctorText: 'in 15 s',
    isSlow: true,
    needs: 'mounts',
    make: withServerName((at) => nameServer(at, 'silent', 'attempts:1 timeout:30')),
  },
];
