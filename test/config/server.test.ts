/** The table [server]: the list of URLs, the proxy and the certificates. */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { isEncrypted } from '../../src/config/remote-values.ts';
import { isPrivateAddress } from '../../src/core/model/private-address.ts';
import { Authority, opensslProblem } from '../doubles/certificates.ts';
import { ConfigFixture } from './config-fixture.ts';

const endpointsOf = (fixture: ConfigFixture, toml: string, environment: Record<string, string> = {}) =>
  fixture.load(toml, { environment }).config.server.endpoints;

describe('server.url', () => {
  it('is a list in the file and separated by commas in a variable', () => {
    using fixture = new ConfigFixture();
    const listed = endpointsOf(fixture, 'server.url = ["coap://tb", "https://tb:8443"]');
    assert.deepEqual(
      listed.map(({ scheme, port }) => `${scheme} ${port}`),
      ['coap 5683', 'https 8443'],
    );
    const fromEnvironment = endpointsOf(fixture, '', { FIRSTLIGHT_SERVER_URL: 'coap://tb, https://tb:8443' });
    assert.deepEqual(fromEnvironment, listed);
  });

  for (const [what, value, why] of [
    ['the same URL twice', '["https://tb", "https://TB:443"]', /has URL 2 twice/],
    ['an unsupported scheme', '["coap://tb", "mqtt://tb"]', /unsupported scheme.*in URL 2/],
    ['no URL', '[]', /is not a URL/],
    ['nine URLs', `[${Array.from({ length: 9 }, (_, n) => `"coap://h${n}"`)}]`, /more than 8/],
  ] as const) {
    it(`with ${what} is a problem`, () => {
      using fixture = new ConfigFixture();
      assert.match(fixture.problems(`server.url = ${value}`)[0]?.sentence ?? '', why);
    });
  }
});

describe('coaps', () => {
  it('goes past every proxy, and server.proxy is a warning', () => {
    using fixture = new ConfigFixture();
    const environment = { HTTPS_PROXY: 'http://env:3128' };
    assert.equal(endpointsOf(fixture, 'server.url = "coaps://tb"', environment)[0].proxy, undefined);
    const { warnings } = fixture.load('server.url = "coaps://tb"\nserver.proxy = "http://proxy"');
    assert.match(warnings.join(), /server\.proxy does not apply to coaps:\/\/tb/);
    assert.deepEqual(fixture.load('server.url = "coaps://tb"\nserver.proxy = "none"').warnings, []);
  });

  it('is encrypted: a shared attribute may set it, but not coap, if every URL is encrypted', () => {
    assert.equal(isEncrypted([{ url: 'coaps://tb', scheme: 'coaps', host: 'tb', port: 5684 }]), true);
    assert.equal(isEncrypted([{ url: 'coap://tb', scheme: 'coap', host: 'tb', port: 5683 }]), false);
  });
});

describe('coaps with a client certificate', { skip: opensslProblem }, () => {
  const authority = opensslProblem ? undefined : new Authority();
  const pem = authority?.issue();
  after(() => authority?.[Symbol.dispose]());
  const FILES = `server.cert-file = "${pem?.certFile}"\nserver.key-file = "${pem?.keyFile}"\n`;
  const COAPS = `server.url = ["coaps://tb", "coaps://other:5685"]\n${FILES}`;

  it('has the certificate for the credentials of the device', () => {
    using fixture = new ConfigFixture();
    const { config, warnings } = fixture.load(COAPS);
    const { fingerprint256 } = new X509Certificate(pem?.cert ?? '');
    const { token, isCertificate } = config.device;
    assert.equal(token?.reveal(), fingerprint256.replaceAll(':', '').toLowerCase());
    assert.deepEqual([isCertificate, warnings], [true, []]);
  });

  it('does not provision: a provisioning key is a warning', () => {
    using fixture = new ConfigFixture();
    const { config, warnings } = fixture.load(
      `${COAPS}provisioning.key = "k"\nprovisioning.secret = "hush"\n`,
    );
    assert.equal(config.provisioning, undefined);
    assert.match(warnings.join(), /cert-file is set together with provisioning\.key.*does not provision/);
    assert.doesNotMatch(warnings.join(), /hush/);
  });

  it('cannot have an access token, too', () => {
    using fixture = new ConfigFixture();
    const [problem, ...others] = fixture.problems(`${COAPS}device.token = "hush"\n`);
    assert.match(problem?.sentence ?? '', /device\.token is set together with server\.cert-file/);
    assert.doesNotMatch(problem?.sentence ?? '', /hush/);
    assert.equal(others.length, 0);
  });

  for (const other of ['coap', 'https']) {
    it(`cannot have a URL of ${other} beside it, which cannot carry the certificate`, () => {
      using fixture = new ConfigFixture();
      const [problem, ...others] = fixture.problems(`server.url = ["coaps://tb", "${other}://tb"]\n${FILES}`);
      assert.match(problem?.sentence ?? '', new RegExp(`server\\.url contains coaps and ${other}, and`));
      assert.equal(others.length, 0);
    });
  }

  it('is a client certificate for a proxy with https alone, beside the token', () => {
    using fixture = new ConfigFixture();
    const { config } = fixture.load(`server.url = "https://tb"\n${FILES}device.token = "t"\n`);
    assert.deepEqual([config.device.token?.reveal(), config.device.isCertificate], ['t', undefined]);
  });
});

describe('the proxy', () => {
  const HTTPS = 'server.url = "https://tb.example.com"\n';

  it('of server.proxy takes precedence over the environment, and "none" disables it', () => {
    using fixture = new ConfigFixture();
    const environment = { HTTPS_PROXY: 'http://env:3128' };
    assert.equal(endpointsOf(fixture, HTTPS, environment)[0].proxy?.host, 'env');
    assert.equal(
      endpointsOf(fixture, `${HTTPS}server.proxy = "http://file"`, environment)[0].proxy?.host,
      'file',
    );
    assert.equal(endpointsOf(fixture, `${HTTPS}server.proxy = "none"`, environment)[0].proxy, undefined);
    assert.equal(
      endpointsOf(fixture, HTTPS, { ...environment, NO_PROXY: 'x, .example.com' })[0].proxy,
      undefined,
    );
    assert.equal(endpointsOf(fixture, 'server.url = "coap://tb"', environment)[0].proxy, undefined);
  });

  it('is never shown with its password', () => {
    using fixture = new ConfigFixture();
    const [endpoint] = endpointsOf(fixture, `${HTTPS}server.proxy = "http://me:hush%40hush@proxy:8080"`);
    assert.equal(
      endpoint.proxy?.authorization?.reveal(),
      `Basic ${Buffer.from('me:hush@hush').toString('base64')}`,
    );
    assert.doesNotMatch(JSON.stringify(endpoint), /hush/);
    const [problem] = fixture.problems(`${HTTPS}server.proxy = "socks5://me:hush@proxy"`);
    assert.match(problem?.sentence ?? '', /supported: http/);
    assert.doesNotMatch(problem?.sentence ?? '', /hush/);
  });
});

describe('certificate files', { skip: opensslProblem }, () => {
  it('are read and validated with all problems at once', () => {
    using fixture = new ConfigFixture();
    using authority = new Authority();
    const [one, other] = [authority.issue(), authority.issue()];
    const head = 'server.url = "https://tb"\n';
    const right = `${head}server.ca-file = "${authority.pem.certFile}"\nserver.cert-file = "${one.certFile}"\nserver.key-file = "${one.keyFile}"`;
    const { tls } = fixture.load(right).config.server;
    assert.equal(tls.ca, readFileSync(authority.pem.certFile, 'utf8'));
    assert.equal(tls.client?.key.reveal(), one.key);
    assert.match(
      fixture.problems(right.replace(one.keyFile, other.keyFile))[0]?.sentence ?? '',
      /not the key of the certificate/,
    );
    const invalid = `${head}server.ca-file = "${one.keyFile}"\nserver.cert-file = "/nowhere"\nserver.pin-sha256 = "abc"`;
    const sentences = fixture.problems(invalid).map(({ sentence }) => sentence);
    assert.equal(sentences.length, 4, sentences.join('\n'));
  });

  it('in the credential store are named as such to a user who cannot read it', () => {
    using fixture = new ConfigFixture();
    using authority = new Authority();
    const [cert, key] = [authority.pem.certFile, '/run/credentials/firstlight.service/firstlight.key'];
    const text = `server.url = "https://tb"\nserver.cert-file = "${cert}"\nserver.key-file = "${key}"\n`;
    const [hidden = '', ...others] = fixture.sentences(text, { credentialsHidden: true });
    assert.match(hidden, /firstlight\.key, which is a credential of the service, which only root can read/);
    assert.deepEqual(others, []);
    assert.match(fixture.sentences(text).join(), /does not exist; store the file as/);
  });
});

it('isPrivateAddress accepts addresses of private networks only', () => {
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '::1',
    'fd12::1',
    'fe80::1',
    '::ffff:10.0.0.1',
  ])
    assert.ok(isPrivateAddress(address), address);
  for (const address of ['192.0.2.7', '172.32.0.1', '100.64.0.1', '2001:db8::7', '::ffff:192.0.2.7'])
    assert.ok(!isPrivateAddress(address), address);
});
