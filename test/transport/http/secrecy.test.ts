/**
 * The real agent over HTTPS through a proxy with a login. Its secrets must not appear in the log, in the
 * output of config show, status and doctor, in the status file, on command lines, or in the environments of
 * child processes.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { openTlsFront } from '../../doubles/tls-front.ts';

const SECRET = 'a-provisioning-secret-nobody-may-see';
const PASSWORD = 'proxy/pass@word&nobody=sees';
const BASIC = `Basic ${Buffer.from(`ours:${PASSWORD}`).toString('base64')}`;
const timeout = 90_000;

/** A proxy that accepts only the correct login. */
async function openProxy() {
  const logins: (string | undefined)[] = [];
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer();
  server.on('connect', (request, socket, head) => {
    const login = request.headers['proxy-authorization'];
    logins.push(login);
    sockets.add(socket);
    socket.on('error', () => {});
    if (login !== BASIC) {
      // It quotes the login that it received.
      socket.end(`HTTP/1.1 407 ${login ?? 'no'} ${PASSWORD}\r\nX-Was: ${login ?? 'no'}\r\n\r\n`);
      return;
    }
    const to = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      to.write(head);
      socket.pipe(to).pipe(socket);
    });
    sockets.add(to);
    to.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    for (const each of sockets) each.destroy();
  };
  return { logins, port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

async function setup() {
  const authority = new Authority();
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: SECRET } });
  const front = await openTlsFront(sandbox.httpPort, authority.issue());
  const proxy = await openProxy();
  const place = await tempDir();
  const [state, runtime, program] = ['state', 'run', 'program'].map((name) => join(place.path, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(runtime);
  await writeFile(program, '#!/bin/sh\ntr "\\0" " " </proc/$$/environ >&2\nsleep 4\necho 1\n');
  await chmod(program, 0o755);
  const config = (password: string) =>
    place.config(
      `[server]\nurl = "https://localhost:${front.port}"\nca-file = "${authority.pem.certFile}"\nproxy = "http://ours:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n[device]\nname = "gw-quiet"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n[log]\nlevel = "debug"\n[[sensor.exec]]\nname = "slow"\ncommand = ["${program}"]\nevery = "10s"\ntimeout = "8s"\n`,
    );
  const close = async () => {
    for (const each of [proxy, front, sandbox, place]) await each[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  };
  const run = (file: string) =>
    AgentProcess.run(['run', '--config', file, '--state', state], {
      RUNTIME_DIRECTORY: runtime,
      HTTPS_PROXY: `http://ours:${encodeURIComponent(PASSWORD)}@127.0.0.1:9`,
    });
  return { sandbox, proxy, state, runtime, program, config, run, [Symbol.asyncDispose]: close };
}

/** The secrets in all their encodings. */
function encodedForms(...secrets: readonly string[]): readonly string[] {
  return secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]);
}

function tokenOf(sandbox: Sandbox): string {
  const [device] = sandbox.devices();
  assert.ok(device?.token);
  return device.token;
}

/** Command lines of `pid` and its descendants, and the environments of the descendants, by process. */
function readProcess(
  pid: number,
): ReadonlyMap<number, { readonly line: string; readonly environment: string }> {
  const ours = text(`/proc/${pid}/cmdline`);
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    const stat = text(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const found = new Map<number, { readonly line: string; readonly environment: string }>();
  for (const each of parents.keys()) {
    let above: number | undefined = each;
    while (above !== undefined && above > 1 && above !== pid) above = parents.get(above);
    if (above !== pid) continue;
    const line = text(`/proc/${each}/cmdline`);
    // The agent's own environment may contain secrets. Between fork and exec a child still has the agent's
    // command line.
    const environment = line === ours ? '' : text(`/proc/${each}/environ`);
    found.set(each, { line, environment });
  }
  return found;
}

/** Empty if the process has ended. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('secrets over HTTPS through a proxy with a login', { skip: opensslProblem }, () => {
  it('no secret appears in logs, command lines, child processes or command output', {
    timeout,
  }, async () => {
    await using harness = await setup();
    const file = await harness.config(PASSWORD);
    await using agent = harness.run(file);
    const texts: string[] = [];
    const children = new Set<number>();
    const isProgram = (line: string) => line.includes(harness.program);
    for (let messages = 1; ; messages += 1) {
      const processes = readProcess(agent.pid);
      for (const [pid, { line, environment }] of processes) {
        texts.push(line, environment);
        if (pid !== agent.pid) children.add(pid);
      }
      if ([...processes.values()].some(({ line }) => isProgram(line)) && harness.sandbox.points().length > 0)
        break;
      await agent.lines('', messages);
    }
    assert.ok(children.size > 0);
    assert.ok(
      texts.some((line) => line.includes('run')),
      'the command line of the agent was read',
    );
    for (const words of [
      ['config', 'show', '--config', file],
      ['config', 'show', '--config', file, '--json'],
      ['config', 'explain', 'server.proxy', '--config', file],
      ['config', 'check', file],
      ['status', '--runtime', harness.runtime],
      ['status', '--json', '--runtime', harness.runtime],
      ['doctor', '--config', file, '--state', harness.state, '--runtime', harness.runtime],
      ['doctor', '--json', '--config', file, '--state', harness.state, '--runtime', harness.runtime],
    ]) {
      await using command = AgentProcess.run(words);
      await command.exit();
      assert.ok(command.output.length > 0, words.join(' '));
      texts.push(...command.output);
    }
    texts.push(...readdirSync(harness.runtime).map((name) => text(join(harness.runtime, name))));
    assert.equal(await agent.stop(), 0);
    texts.push(...agent.output);
    assert.ok(harness.proxy.logins.length > 0 && harness.proxy.logins.every((login) => login === BASIC));
    const all = texts.join('\n');
    assert.match(all, /http:\/\/\*\*\*@127\.0\.0\.1/, 'config show contains the proxy');
    for (const form of encodedForms(SECRET, PASSWORD, `ours:${PASSWORD}`, tokenOf(harness.sandbox)))
      assert.ok(!all.includes(form), `${form} in\n${all}`);
  });

  it('a rejected password that the proxy quotes does not appear in the log', { timeout }, async () => {
    await using harness = await setup();
    const wrong = 'wrong-proxy-password-unseen';
    const file = await harness.config(wrong);
    await using agent = harness.run(file);
    assert.match(await agent.line('event=FL-PROXY-DENIED'), /responded 407/);
    await using doctor = AgentProcess.run(['doctor', '--config', file, '--state', harness.state]);
    await doctor.exit();
    await agent.stop();
    const all = [...agent.output, ...doctor.output].join('\n');
    for (const form of encodedForms(SECRET, wrong, `ours:${wrong}`)) assert.ok(!all.includes(form), form);
  });
});
