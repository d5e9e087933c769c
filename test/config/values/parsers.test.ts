/** Parsers of config/: durations and server URLs; also suggestions and the line locator. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearestWord } from '../../../src/config/errors/nearest-word.ts';
import { createLineLocator } from '../../../src/config/sources/toml-lines.ts';
import { parseDuration } from '../../../src/config/values/quantities.ts';
import { parseServerUrl } from '../../../src/config/values/server-url.ts';
import { formatDurationSetting } from '../../../src/core/model/format-duration.ts';

describe('a duration', () => {
  it('is a whole number and one unit', () => {
    const milliseconds = ['500ms', '10s', '5m', '1h', '2d', '0s'].map(parseDuration);
    assert.deepEqual(milliseconds, [500, 10_000, 300_000, 3_600_000, 172_800_000, 0]);
  });

  it('has no fraction, sign, space, second unit or other unit', () => {
    for (const text of [
      '10',
      '',
      's',
      '1.5s',
      '-1s',
      '+1s',
      ' 1s',
      '1 s',
      '1s ',
      '1h30m',
      '1w',
      '1S',
      '１s',
      '1s\n',
    ]) {
      assert.equal(parseDuration(text), undefined, JSON.stringify(text));
    }
  });

  it('is formatted in the largest unit that divides it, and in days from 2d', () => {
    const shown = [0, 500, 1000, 90_000, 3_600_000, 86_400_000, 172_800_000].map(formatDurationSetting);
    assert.deepEqual(shown, ['0s', '500ms', '1s', '90s', '1h', '24h', '2d']);
  });
});

describe('a server address', () => {
  const accepted: readonly [url: string, host: string, port: number][] = [
    ['coap://thingsboard.example.com', 'thingsboard.example.com', 5683],
    ['coap://tb:15683', 'tb', 15_683],
    ['COAP://TB.example', 'TB.example', 5683],
    ['coap://192.0.2.7:5684', '192.0.2.7', 5684],
    ['coap://[2001:db8::7]', '2001:db8::7', 5683],
    ['coap://[::1]:1', '::1', 1],
    ['coap://my_service', 'my_service', 5683],
  ];
  for (const [url, host, port] of accepted) {
    it(`is parsed from ${url} as host ${host} and port ${port}`, () => {
      assert.deepEqual(parseServerUrl(url), { url, scheme: 'coap', host, port });
    });
  }

  it('has port 5684 if it is coaps without a port', () => {
    assert.deepEqual(parseServerUrl('coaps://tb'), {
      url: 'coaps://tb',
      scheme: 'coaps',
      host: 'tb',
      port: 5684,
    });
  });

  const invalid: readonly [url: string, reason: RegExp][] = [
    ['thingsboard.example.com', /not a URL/],
    ['coap:/tb', /not a URL/],
    ['mqtt://tb', /supported: coap, coaps, http, https$/],
    ['coaps://user:pass@tb', /user information/],
    ['coap://user:pass@tb', /user information/],
    ['coap://tb/', /path/],
    ['coap://tb?x=1', /query/],
    ['coap://tb#x', /fragment/],
    ['coap://2001:db8::7', /host|port/],
    ['coap://[192.0.2.7]', /host/],
    ['coap://[::1', /host|port/],
    ['coap://192.0.2.256', /host/],
    ['coap://', /host/],
    ['coap://-tb', /host/],
    ['coap://a..b', /host/],
    [`coap://${'a'.repeat(64)}`, /host/],
    [`coap://${'a.'.repeat(127)}b`, /host/],
    ['coap://t b', /host/],
    ['coap://tb\n', /host/],
    ['coap://tb:', /port/],
    ['coap://tb:0', /port/],
    ['coap://tb:65536', /port/],
    ['coap://tb:5683x', /port/],
  ];
  for (const [url, reason] of invalid) {
    it(`is rejected with a reason: ${JSON.stringify(url.slice(0, 40))}`, () => {
      assert.match(String(parseServerUrl(url)), reason);
    });
  }
});

describe('a suggestion', () => {
  it('is the nearest known word, and none if every word is too far', () => {
    const words = ['server.url', 'telemetry.interval', 'log.level', 'log.format'];
    assert.equal(nearestWord('server.ulr', words), 'server.url');
    assert.equal(nearestWord('telemtry.interval', words), 'telemetry.interval');
    assert.equal(nearestWord('LOG.LEVEL', words), 'log.level');
    assert.equal(nearestWord('mqtt.topic', words), undefined);
    assert.equal(nearestWord('x'.repeat(100_000), words), undefined);
    assert.equal(nearestWord('x', []), undefined);
  });

  it('counts two swapped neighbours as one change', () => {
    assert.equal(nearestWord('inof', ['info']), 'info');
    assert.equal(nearestWord('inxx', ['info']), undefined);
  });
});

describe('the line of a key', () => {
  const TOML = `# a comment with [server] and url = "x"
[server]
  url   =  "coap://tb" # [log]
[ "device" ]
name = """
[log]
level = "no"
"""
'single' = 1
[telemetry] # the sensors
list = [
  "a", # ]
  [ "interval = 1" ],
]
interval . deep="10s"

[[twice]]
[log]
inline = { level = "info", more = [1, 2] }
  "quoted.key"= 'it''
text = '''
level = "no" '''
level = "info"
`.replace("'it''", "'it'");
  const lineOf = createLineLocator(TOML);

  it('is found among comments, multi-line values, lists and quoted or dotted keys', () => {
    const lines = [
      lineOf(['server']),
      lineOf(['server', 'url']),
      lineOf(['device', 'name']),
      lineOf(['device', 'single']),
      lineOf(['telemetry', 'list']),
      lineOf(['telemetry', 'interval', 'deep']),
      lineOf(['twice']),
      lineOf(['log', 'quoted.key']),
      lineOf(['log', 'level']),
    ];
    assert.deepEqual(lines, [2, 3, 5, 9, 11, 15, 17, 20, 23]);
  });

  it('inside an inline table is the line of that table', () => {
    assert.equal(lineOf(['log', 'inline', 'level']), 19);
  });

  it('is that of its table if the key is missing, and undefined without a table', () => {
    assert.equal(lineOf(['server', 'spread']), 2);
    assert.equal(lineOf(['nowhere']), undefined);
  });

  it('of a dotted top-level key is also that of its table', () => {
    const dotted = createLineLocator('\nserver.url = "coap://tb"\r\nserver . "spread" = "1s"');
    assert.deepEqual(
      [dotted(['server', 'url']), dotted(['server', 'spread']), dotted(['server'])],
      [2, 3, 2],
    );
  });

  it('is found in 250 kB of one string and of many lines', () => {
    const string = `[a]\nb = """${'x\n'.repeat(120_000)}"""\nc = 1`;
    assert.equal(createLineLocator(string)(['a', 'c']), 120_003);
    const lines = `[a]\n${Array.from({ length: 20_000 }, (_, i) => `k${i} = 1`).join('\n')}`;
    assert.equal(createLineLocator(lines)(['a', 'k19999']), 20_001);
  });
});
