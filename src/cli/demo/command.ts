/**
 * `firstlight demo` (`npm start`): runs the sandbox and the agent as two processes on this host and prints the agent's log and the
 * newest values on the server. Exit code 0 only if the sandbox stored telemetry. Without --state, the state directory is temporary.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EX_FAILED, EX_OK } from '../../app/exit-codes.ts';
import { ChildAbortController } from '../../core/async/abort.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { type SelfProcess, startSelf } from './process.ts';
import { StoredValues, storedPoints } from './view.ts';

export interface DemoOptions {
  readonly seconds?: number;
  readonly state?: string;
}

/** The telemetry interval of the demo, ms. */
const SAMPLE_EVERY_MS = 2_000;
const KEY = 'demo-key';
const SECRET = 'demo-secret';

export async function demoCommand(
  options: DemoOptions,
  out: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<number> {
  const writeLine = (line: string) => out.write(`${line}\n`);
  const directory =
    options.state === undefined ? await mkdtemp(join(tmpdir(), 'firstlight-')) : resolve(options.state);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  using controller = new ChildAbortController(signal);
  const timer =
    options.seconds === undefined ? undefined : setTimeout(() => controller.abort(), options.seconds * 1000);
  const sandbox = startSelf(['sandbox', ...sandboxArguments(directory)]);
  let agent: SelfProcess | undefined;
  try {
    const ports = readPorts(await sandbox.firstLine);
    writeLine(
      `sandbox   ThingsBoard stand-in on coap://127.0.0.1:${ports.coapPort}, admin http://127.0.0.1:${ports.adminPort}`,
    );
    writeLine(
      `demo      state in ${directory}${options.state === undefined ? ' (temporary)' : ''}; stop with Ctrl-C`,
    );
    agent = startSelf(
      ['run', '--config', await writeConfig(directory, ports.coapPort), '--state', join(directory, 'state')],
      (line) => writeLine(`agent     ${line}`),
    );
    for (const child of [agent, sandbox]) child.ended.addEventListener('abort', () => controller.abort());
    await showValues(ports.adminPort, writeLine, controller.signal);
    await agent.stop();
    const stored = await storedPoints(ports.adminPort);
    writeLine(
      `demo      the sandbox stored ${stored} points${stored > 0 ? '' : ': nothing arrived, see the lines above'}`,
    );
    return stored > 0 ? EX_OK : EX_FAILED;
  } catch (error) {
    writeLine(`demo      ${errorMessage(error)}`);
    return EX_FAILED;
  } finally {
    clearTimeout(timer);
    await agent?.stop();
    await sandbox.stop();
    if (options.state === undefined) await rm(directory, { recursive: true, force: true });
  }
}

function sandboxArguments(directory: string): string[] {
  const free = ['--coap-port', '0', '--http-port', '0', '--admin-port', '0'];
  return [...free, '--key', KEY, '--secret', SECRET, '--data', join(directory, 'sandbox.json'), '--json'];
}

function readPorts(line: string): { coapPort: number; adminPort: number } {
  const ports: unknown = line.startsWith('{') ? JSON.parse(line) : undefined;
  if (typeof ports === 'object' && ports !== null && 'coapPort' in ports && 'adminPort' in ports) {
    return { coapPort: Number(ports.coapPort), adminPort: Number(ports.adminPort) };
  }
  throw new Error(`the sandbox did not start: ${line}`);
}

async function writeConfig(directory: string, coapPort: number): Promise<string> {
  const file = join(directory, 'firstlight.toml');
  const toml = `# Written by firstlight demo.
[server]
url = "coap://127.0.0.1:${coapPort}"
spread = "0s"
[provisioning]
key = "${KEY}"
secret = "${SECRET}"
[telemetry]
interval = "${SAMPLE_EVERY_MS / 1000}s"
`;
  await writeFile(file, toml, { mode: 0o600 });
  return file;
}

/** Prints the newest values on the server whenever they change, until the signal aborts. */
async function showValues(
  adminPort: number,
  writeLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const stored = new StoredValues(adminPort);
  while (!signal.aborted) {
    await new Promise<void>((wake) => {
      const timer = setTimeout(done, SAMPLE_EVERY_MS / 2);
      signal.addEventListener('abort', done);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        wake();
      }
    });
    const latest = await stored.latestLine();
    if (latest) writeLine(`stored    ${new Date(latest.tsMs).toISOString().slice(11, 19)}  ${latest.text}`);
  }
}
