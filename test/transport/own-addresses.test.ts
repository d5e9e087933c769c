/** The addresses of this host as one text. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { createOwnAddresses } from '../../src/transport/own-addresses.ts';

const canMakeInterfaces =
  spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'fl7', 'type', 'veth', 'peer', 'name', 'fl8'])
    .status === 0;

describe('the addresses of this host', () => {
  it('the text stays the same while nothing changes, and has every IPv4 address', () => {
    const read = createOwnAddresses();
    assert.equal(read(), read());
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? []))
      if (family === 'IPv4') assert.ok(read().includes(address), address);
  });

  it('without the table of the kernel the interfaces are listed', () => {
    const read = createOwnAddresses('/nowhere');
    assert.match(read(), /127\.0\.0\.1/);
    assert.doesNotMatch(read(), /LOCAL/);
  });

  it('an address that comes, changes or goes changes the text', {
    skip: canMakeInterfaces ? false : 'needs root, unshare and ip',
  }, () => {
    const file = JSON.stringify(new URL('../../src/transport/own-addresses.js', import.meta.url).href);
    const script = `
      const { createOwnAddresses } = await import(${file});
      const { execSync } = await import('node:child_process');
      const read = createOwnAddresses();
      execSync('ip link add fl7 type veth peer name fl8 && ip link set fl8 up && ip link set fl7 up');
      const texts = ['add 192.0.2.7/24', 'add 192.0.2.8/24', 'del 192.0.2.7/24', 'add 2001:db8::7/64', 'del 2001:db8::7/64']
        .map((change) => { execSync('ip addr ' + change + ' dev fl7'); return read(); });
      console.log(texts.slice(1).every((text, index) => text !== texts[index]));`;
    const { stdout } = spawnSync(
      'unshare',
      ['--net', process.execPath, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    assert.equal(stdout, 'true\n');
  });
});
