/**
 * `firstlight update install`: root's part, started by firstlight-update.service. It continues an unfinished update, else it
 * takes what the operator or the agent has put there. Exit codes: 0 done, 75 a disk error, or a request of the agent that was
 * refused or done before: systemd waits a minute before it starts the unit again.
 */

import { mkdirSync } from 'node:fs';
import { EX_OK, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { HostAgentService } from '../../update/install/host-agent-service.ts';
import { HostDpkg } from '../../update/install/host-dpkg.ts';
import { NodeInstallationDisk } from '../../update/install/node-installation-disk.ts';
import { runFilesIn, UPDATE_DIRECTORY } from '../../update/install/run-files.ts';
import { runInstallation } from '../../update/install/run-installation.ts';
import { takeRequest } from '../../update/request-file.ts';
import { readTrustedKeys } from '../../update/trusted-keys.ts';
import type { Out } from '../ui/terminal.ts';

export interface InstallOptions {
  /** Seconds of the health gate. */
  readonly gate?: string;
}

/** What the agent has downloaded and verified. Its state directory may be the link of systemd to a private one. */
const AGENT_FILE = { directory: '/var/lib/firstlight', path: 'update/package' };
const AGENT_RUNTIME = '/run/firstlight';
const PRIORITIES = { info: '<6>', error: '<3>' } as const;

export async function installUpdate(
  { gate }: InstallOptions,
  environment: NodeJS.ProcessEnv,
  out: Out,
  signal: AbortSignal,
): Promise<number> {
  const isJournalled = environment['JOURNAL_STREAM'] !== undefined;
  const report = (level: 'info' | 'error', sentence: string) =>
    out.write(`${isJournalled ? PRIORITIES[level] : ''}${sentence}\n`);
  if (gate !== undefined && !/^[1-9]\d{0,3}$/.test(gate)) {
    report('error', '--gate must be 1 to 9999 s');
    return EX_USAGE;
  }
  const files = runFilesIn(UPDATE_DIRECTORY);
  try {
    mkdirSync(files.directory, { recursive: true, mode: 0o755 });
    mkdirSync(files.private, { recursive: true, mode: 0o700 });
    const ports = {
      ...{ files, report, agentFile: AGENT_FILE },
      disk: new NodeInstallationDisk(),
      dpkg: new HostDpkg(),
      service: new HostAgentService(),
      clock: hostClock(),
      trustedKeys: () => readTrustedKeys(),
      takeRequest: () => takeRequest(AGENT_RUNTIME),
      ...(gate !== undefined && { gateMs: Number(gate) * 1000 }),
    };
    const end = await runInstallation(ports, signal);
    const isVain = end.is === 'nothing' || (end.is === 'refused' && !end.isOfOperator);
    return isVain ? EX_TEMPFAIL : EX_OK;
  } catch (error) {
    report('error', `the update cannot go on: ${errorMessage(error)}: it is tried again in a minute`);
    return EX_TEMPFAIL;
  }
}
