/** Texts of a host as attributes: placeholders, numbers and bounds. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { selectAddresses } from '../../../src/host/hardware/basic-facts.ts';
import { osVersion } from '../../../src/host/hardware/facts-child.ts';
import { factText, isPlaceholderText, plainText, serialText } from '../../../src/host/hardware/facts-text.ts';

it('isPlaceholderText recognises the placeholders of firmware', () => {
  const PLACEHOLDER_TEXTS = [
    'Default string',
    'To Be Filled By O.E.M.',
    'to be filled by O.E.M',
    '-',
    '',
    '  ',
    'Not Specified',
    'N/A',
    'None',
    'Unknown',
    '0',
    '0000000000000000',
    'System Serial Number',
    'System Product Name',
    '0123456789',
    '123456789',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'Computer',
    'xxxxxxxx',
    'OEM',
  ];
  for (const text of PLACEHOLDER_TEXTS) assert.equal(isPlaceholderText(text), true, text);
});

it('isPlaceholderText accepts real models and serial numbers', () => {
  const MEANINGFUL_TEXTS = [
    'Raspberry Pi 4 Model B Rev 1.4',
    '10000000abcdef01',
    'ABC1234',
    'OptiPlex 3020',
    '12345678901',
    'NUC7i3BNH',
    '4c4c4544-0033-4a10-8052-b4c04f4d4432',
    'Standard PC (Q35 + ICH9, 2009)',
    'F0F0',
    'Computer Module 4',
  ];
  for (const text of MEANINGFUL_TEXTS) assert.equal(isPlaceholderText(text), false, text);
});

it('a text that the server would parse as a number gets a prefix', () => {
  for (const text of ['13', '007', '1.10', '6.1', '.5', '-5', '5.', '1e5'])
    assert.equal(plainText(text, 'v'), `v${text}`);
  for (const text of ['6.1.21', 'trixie', '13 (trixie)', 'v1']) assert.equal(plainText(text, 'v'), text);
});

it('a serial number always starts with SN: and keeps its zeros', () => {
  assert.equal(serialText('0000000012345678'), 'SN:0000000012345678');
  assert.equal(serialText('ABC1234'), 'SN:ABC1234');
  assert.equal(serialText('SN:ABC1234'), 'SN:ABC1234');
  assert.equal(serialText('-'), undefined);
  assert.equal(serialText('c3d9b8674f4b94f6'), undefined, 'that of all boards of a kind');
});

it('the version of the operating system is never a bare number', () => {
  assert.equal(osVersion('13', 'trixie'), '13 (trixie)');
  assert.equal(osVersion('13', ''), 'v13');
  assert.equal(osVersion('22.04.3 LTS', undefined), '22.04.3 LTS');
  assert.equal(osVersion('unknown', ''), undefined);
});

it('an attribute has no control characters and at most 255 characters', () => {
  assert.equal(factText('Pi\u0000\n4', 'x'), 'Pi 4');
  assert.equal(factText('y'.repeat(1000), 'x')?.length, 255);
  assert.equal(plainText('1'.repeat(1000), 'v')?.length, 255);
  assert.equal(factText(42, 'x'), undefined);
});

it('selectAddresses lists unique addresses, IPv4 first, without loopback and link-local', () => {
  const from = (address: string, internal = false) => ({ address, internal });
  assert.deepEqual(
    selectAddresses(
      {
        lo: [from('127.0.0.1', true), from('::1', true)],
        eth0: [from('fe80::1'), from('2001:db8::7'), from('192.0.2.7'), from('169.254.3.4')],
        wlan0: [from('192.0.2.7'), from('198.51.100.2')],
        gone: undefined,
      },
      undefined,
    ),
    ['192.0.2.7', '198.51.100.2', '2001:db8::7'],
  );
  const many = Array.from({ length: 50 }, (_, i) => from(`2001:db8:1111:2222:3333:4444:5555:6${100 + i}`));
  assert.ok(selectAddresses({ eth0: many }, 'eth0').join(',').length <= 255);
});

it('selectAddresses leaves out bridges of container engines', () => {
  const bridges = [17, 18, 19, 20, 21, 22].map((octet, at) => [
    at === 0 ? 'docker0' : `br-0a1b2c3d4e5${at}`,
    [{ address: `172.${octet}.0.1`, internal: false }],
  ]);
  const lan = [{ address: '192.168.1.50', internal: false }];
  const interfaces = { ...Object.fromEntries(bridges), eth0: lan, 'br-lan': lan };
  assert.deepEqual(selectAddresses(interfaces, undefined), ['192.168.1.50']);
});

it('selectAddresses lists the addresses of the default route first', () => {
  const dummies = [1, 2, 3, 4, 5, 6].map((octet) => [
    `dummy${octet}`,
    [{ address: `10.0.${octet}.1`, internal: false }],
  ]);
  const lan = [
    { address: '2001:db8::7', internal: false },
    { address: '192.168.1.50', internal: false },
  ];
  const interfaces = { ...Object.fromEntries(dummies), eth0: lan };
  assert.deepEqual(selectAddresses(interfaces, 'eth0').slice(0, 3), [
    '192.168.1.50',
    '2001:db8::7',
    '10.0.1.1',
  ]);
});
