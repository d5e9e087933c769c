/** Firmware and software over HTTP, and their admin requests (contract sections 7, 8 and 14). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { openPackageHarness, PACKAGE } from '../helpers/package-harness.ts';
import { TOKEN } from '../helpers/quick-core.ts';

const NAMED = 'title=firstlight&version=2.0.0';

async function download(
  port: number,
  path: string,
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${TOKEN}/${path}`);
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

describe('a package over HTTP', () => {
  for (const type of ['firmware', 'software'] as const) {
    it(`${type} arrives whole, as octet-stream with its file name`, async () => {
      await using harness = await openPackageHarness();
      harness.assign(type, { fileName: 'firstlight.js' });
      const { status, headers, bytes } = await download(harness.sandbox.httpPort, `${type}?${NAMED}`);
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'application/octet-stream');
      assert.equal(headers.get('content-disposition'), 'attachment;filename=firstlight.js');
      assert.equal(headers.get('x-filename'), 'firstlight.js');
      assert.equal(headers.get('content-length'), '5000');
      assert.ok(bytes.equals(PACKAGE));
    });
  }

  it('a package arrives in chunks, and a chunk past the end is empty', async () => {
    await using harness = await openPackageHarness();
    harness.assign('software');
    const chunks: Buffer[] = [];
    for (const chunk of [0, 1, 2]) {
      const path = `software?${NAMED}&size=2000&chunk=${chunk}`;
      chunks.push((await download(harness.sandbox.httpPort, path)).bytes);
    }
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [2_000, 2_000, 1_000],
    );
    assert.ok(Buffer.concat(chunks).equals(PACKAGE));
    const past = await download(harness.sandbox.httpPort, `software?${NAMED}&size=2000&chunk=3`);
    assert.deepEqual([past.status, past.bytes.length], [200, 0]);
  });

  it('another title or version gets an empty 400, no package an empty 404', async () => {
    await using harness = await openPackageHarness();
    const { httpPort } = harness.sandbox;
    const answers = async (): Promise<readonly (readonly [number, number])[]> => {
      const queries = [NAMED, 'title=x&version=2.0.0', 'title=firstlight&version=1'];
      const all = await Promise.all(queries.map((query) => download(httpPort, `software?${query}`)));
      return all.map(({ status, bytes }) => [status, bytes.length]);
    };
    assert.deepEqual(await answers(), [
      [404, 0],
      [404, 0],
      [404, 0],
    ]);
    harness.assign('software');
    assert.deepEqual(await answers(), [
      [200, 5_000],
      [400, 0],
      [400, 0],
    ]);
  });

  it('a size or chunk that is no integer gets 400', async () => {
    await using harness = await openPackageHarness();
    harness.assign('software');
    for (const query of ['size=big', 'chunk=1.5']) {
      const { status, bytes } = await download(harness.sandbox.httpPort, `software?${NAMED}&${query}`);
      assert.equal(status, 400);
      assert.equal(JSON.parse(bytes.toString()).errorCode, 31);
    }
  });
});

describe('the admin requests for packages', () => {
  async function call(port: number, method: string, path: string, body?: Buffer): Promise<[number, unknown]> {
    const init = body === undefined ? { method } : { method, body: new Uint8Array(body) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return [response.status, await response.json()];
  }

  it('PUT assigns the body with its checksum, DELETE leaves the device without', async () => {
    await using harness = await openPackageHarness();
    const { adminPort, httpPort } = harness.sandbox;
    const path = '/devices/gw/software';
    const [status] = await call(adminPort, 'PUT', `${path}?${NAMED}&tag=t&fileName=f.js`, PACKAGE);
    assert.equal(status, 200);
    assert.ok((await download(httpPort, `software?${NAMED}`)).bytes.equals(PACKAGE));
    assert.deepEqual(harness.sandbox.devices()[0]?.attributes.shared, {
      sw_title: 'firstlight',
      sw_version: '2.0.0',
      sw_tag: 't',
      sw_size: 5_000,
      sw_checksum_algorithm: 'SHA256',
      sw_checksum: createHash('sha256').update(PACKAGE).digest('hex'),
    });
    assert.equal((await call(adminPort, 'DELETE', path))[0], 200);
    assert.deepEqual(harness.sandbox.devices()[0]?.attributes.shared, {});
    assert.equal((await download(httpPort, `software?${NAMED}`)).status, 404);
  });

  it('PUT takes a wrong checksum as it is given, for a verification that fails', async () => {
    await using harness = await openPackageHarness();
    const path = `/devices/gw/software?${NAMED}&checksumAlgorithm=MD5&checksum=00ff`;
    assert.equal((await call(harness.sandbox.adminPort, 'PUT', path, PACKAGE))[0], 200);
    const { shared } = harness.sandbox.devices()[0]?.attributes ?? {};
    assert.deepEqual([shared?.['sw_checksum_algorithm'], shared?.['sw_checksum']], ['MD5', '00ff']);
  });

  it('PUT takes a package of 20 MiB, more than other requests may have', async () => {
    await using harness = await openPackageHarness();
    const large = Buffer.alloc(20 * 1024 * 1024, 7);
    const path = `/devices/gw/firmware?${NAMED}`;
    assert.equal((await call(harness.sandbox.adminPort, 'PUT', path, large))[0], 200);
    assert.equal(harness.sandbox.devices()[0]?.attributes.shared['fw_size'], large.length);
  });

  const rejected: readonly (readonly [method: string, path: string, status: number, expected: RegExp])[] = [
    ['PUT', '/devices/gw/software', 400, /^title: is missing; version: is missing$/],
    ['PUT', `/devices/gw/software?${NAMED}&size=5`, 400, /^size: there is no such member; there are title,/],
    ['PUT', `/devices/gw/software?${NAMED}&tag=`, 400, /^tag: "" is not a text/],
    ['PUT', `/devices/gw/software?${NAMED}&checksumAlgorithm=SHA1`, 400, /"SHA1" is not one of MD5, SHA256/],
    ['PUT', `/devices/nobody/software?${NAMED}`, 404, /nobody/],
    ['DELETE', '/devices/nobody/software', 404, /nobody/],
    ['POST', '/devices/gw/software', 405, /^this path takes PUT, DELETE$/],
  ];
  for (const [method, path, status, expected] of rejected) {
    it(`rejects ${method} ${path}`, async () => {
      await using harness = await openPackageHarness();
      const body = method === 'DELETE' ? undefined : PACKAGE;
      const [code, value] = await call(harness.sandbox.adminPort, method, path, body);
      assert.equal(code, status);
      assert.match((value as { error: string }).error, expected);
    });
  }

  it('PUT rejects an empty body, and a URL with a body', async () => {
    await using harness = await openPackageHarness();
    const { adminPort } = harness.sandbox;
    const path = `/devices/gw/software?${NAMED}`;
    const [, empty] = await call(adminPort, 'PUT', path);
    assert.match((empty as { error: string }).error, /^give the bytes of the package/);
    const [, both] = await call(adminPort, 'PUT', `${path}&url=http://x/y`, PACKAGE);
    assert.match((both as { error: string }).error, /^url: a package has either a URL or bytes/);
    assert.equal((await call(adminPort, 'PUT', `${path}&url=http://x/y`))[0], 200);
  });
});
