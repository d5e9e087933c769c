/**
 * `firstlight update apply`: hands a file to root's part and waits for its result. Ctrl-C ends only the waiting. Exit codes: 0
 * updated, 1 refused or failed, 64 not root, 66 the file cannot be read, 75 an update is running or systemd did not start it.
 */

import { mkdirSync } from 'node:fs';
import { EX_FAILED, EX_NOINPUT, EX_OK, EX_STOPPED, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { versionProblem } from '../../core/update/manifest.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { HostDpkg } from '../../update/install/host-dpkg.ts';
import { NodeInstallationDisk } from '../../update/install/node-installation-disk.ts';
import { loadState, parseResult, runFilesIn, UPDATE_DIRECTORY } from '../../update/install/run-files.ts';
import { runHostCommand } from '../../update/install/run-host-command.ts';
import { readTrustedKeys } from '../../update/trusted-keys.ts';
import { verifyUpdate } from '../../update/update-file.ts';
import { FileSource } from '../../update/update-source.ts';
import type { Out } from '../ui/terminal.ts';

const SERVICE = 'firstlight-update.service';
const POLL_MS = 1_000;
const COPY_CHUNK_BYTES = 256 * 1024;
const RESULT_BYTES_MAX = 64 * 1024;
const STEPS = {
  install: 'dpkg installs the new version',
  gate: 'the new version runs; its health is watched',
  return: 'the old version comes back',
  finish: 'cleaning up',
} as const;

export async function applyUpdate(path: string, out: Out, signal: AbortSignal): Promise<number> {
  const say = (line: string) => out.write(`${line}\n`);
  if (process.geteuid?.() !== 0) {
    say('An update is installed by root: use sudo.');
    return EX_USAGE;
  }
  const files = runFilesIn(UPDATE_DIRECTORY);
  const disk = new NodeInstallationDisk();
  if (loadState(disk, files) || disk.size(files.incoming) !== undefined) {
    say(`An update is running: see systemctl status ${SERVICE}`);
    return EX_TEMPFAIL;
  }
  try {
    const problem = await handOver(path, disk, files);
    if (problem !== undefined) {
      say(`Refused: ${problem}`);
      return EX_FAILED;
    }
  } catch (error) {
    say(`${path} cannot be read or copied: ${errorMessage(error)}`);
    return EX_NOINPUT;
  }
  const started = await runHostCommand('systemctl', ['start', SERVICE]);
  if (!started.isOk) {
    disk.remove(files.incoming);
    say(`systemd did not start ${SERVICE}: ${started.problem}`);
    return EX_TEMPFAIL;
  }
  return follow(disk, files, say, signal);
}

/** Refuses early what root's part would refuse, so that the sentence is here and not in the log. */
async function handOver(
  path: string,
  disk: NodeInstallationDisk,
  files: ReturnType<typeof runFilesIn>,
): Promise<string | undefined> {
  const { keys, problems } = readTrustedKeys();
  if (keys.size === 0)
    return problems[0] ?? 'there is no key in /etc/firstlight/update-keys.d: add one to turn updates on';
  using source = new FileSource(path);
  const verified = await verifyUpdate(source, keys);
  if (!verified.ok) return verified.problem;
  const notAllowed = versionProblem(
    verified.value.manifest,
    (await new HostDpkg().installedVersion()) ?? '0',
  );
  if (notAllowed !== undefined) return notAllowed;
  mkdirSync(files.directory, { recursive: true, mode: 0o755 });
  mkdirSync(files.private, { recursive: true, mode: 0o700 });
  await disk.create(files.incoming, async (write) => {
    for (let done = 0; done < source.bytes; done += COPY_CHUNK_BYTES)
      write(source.read(done, Math.min(COPY_CHUNK_BYTES, source.bytes - done)));
  });
  return undefined;
}

async function follow(
  disk: NodeInstallationDisk,
  files: ReturnType<typeof runFilesIn>,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const clock = hostClock();
  let shown: keyof typeof STEPS | undefined;
  while (!signal.aborted) {
    const state = loadState(disk, files);
    if (state && state !== 'damaged' && state.at !== shown) {
      shown = state.at;
      say(STEPS[state.at]);
    }
    if (!state && disk.size(files.incoming) === undefined) {
      const result = parseResult(disk.readText(files.result, RESULT_BYTES_MAX));
      if (result?.outcome === 'updated') {
        say(`Updated from version ${result.previous} to ${result.version}.`);
        return EX_OK;
      }
      say(`Not updated: ${result?.problem ?? `see journalctl -u ${SERVICE}`}`);
      return EX_FAILED;
    }
    await clock.sleep(POLL_MS, signal);
  }
  say(`The update goes on: see firstlight update status`);
  return EX_STOPPED;
}
