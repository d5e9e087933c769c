/**
 * firstlight.service and the status file of its agent. The file is the agent's: it is read with a limit, and members that other
 * versions may add or change are ignored.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/model/json-object.ts';
import type { AgentHealth, GateObservation } from '../../core/update/health-gate.ts';
import { readSmallText } from './node-installation-disk.ts';
import type { AgentService } from './ports.ts';
import { type RunHostCommand, runHostCommand } from './run-host-command.ts';

const SERVICE = 'firstlight.service';
const PATH_UNIT = 'firstlight-update.path';
const STATUS_BYTES_MAX = 64 * 1024;
const HOUR_MS = 3_600_000;
const DETAIL_CHARACTERS_MAX = 200;
const WATCHDOG_MS = 180_000;
/** States of the credentials in which the agent can connect (core/status/report.ts). */
const USABLE_CREDENTIALS: ReadonlySet<unknown> = new Set(['stored', 'configured', 'unsaved']);
const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, min: 60_000, s: 1_000, ms: 1, us: 0.001 };

export class HostAgentService implements AgentService {
  readonly #run: RunHostCommand;
  readonly #runtime: string;

  constructor(run: RunHostCommand = runHostCommand, runtime = '/run/firstlight') {
    this.#run = run;
    this.#runtime = runtime;
  }

  #health(): AgentHealth {
    return healthOf(readSmallText(join(this.#runtime, 'status.json'), STATUS_BYTES_MAX), {
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      bootMs: Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000,
    });
  }

  async observe(): Promise<GateObservation> {
    const properties = await this.#properties('ActiveState', 'MainPID', 'NRestarts');
    return {
      agent: this.#health(),
      activeState: properties.get('ActiveState') ?? 'unknown',
      mainPid: Number(properties.get('MainPID') ?? 0),
      restarts: Number(properties.get('NRestarts') ?? 0),
    };
  }

  async watchdogMs(): Promise<number> {
    const text = (await this.#properties('WatchdogUSec')).get('WatchdogUSec') ?? '';
    return parseTimeSpan(text) ?? WATCHDOG_MS;
  }

  async restart(): Promise<void> {
    await this.#run('systemctl', ['daemon-reload']);
    await this.#run('systemctl', ['reset-failed', SERVICE]);
    await this.#run('systemctl', ['restart', '--no-block', SERVICE]);
  }

  async stopPath(): Promise<void> {
    await this.#run('systemctl', ['stop', PATH_UNIT]);
  }

  async #properties(...names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { output } = await this.#run('systemctl', ['show', SERVICE, `--property=${names.join(',')}`]);
    return new Map(
      output.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
  }
}

/** As systemctl prints it: "3min", "1min 30s"; undefined for "infinity" and other text. */
export function parseTimeSpan(text: string): number | undefined {
  const words = text.trim().split(' ');
  let ms = 0;
  for (const word of words) {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(h|min|s|ms|us)$/.exec(word) ?? [];
    const factor = UNITS_MS[unit];
    if (number === undefined || factor === undefined) return undefined;
    ms += Number(number) * factor;
  }
  return ms;
}

/** The health that a status file shows in this boot, at a time since boot. */
export function healthOf(
  text: string | undefined,
  now: { readonly bootId: string; readonly bootMs: number },
): AgentHealth {
  const status = parseJsonObject(text ?? '') ?? {};
  const { agent, report, ending } = status;
  const none: AgentHealth = { hasCredentials: false, isAccepted: false };
  if (isJsonObject(ending)) return withDetail(none, reasonOf(ending));
  if (!isJsonObject(agent) || agent['bootId'] !== now.bootId) return none;
  const { pid, startTicks } = agent;
  if (typeof pid !== 'number' || typeof startTicks !== 'number') return none;
  const { credentials, lastAcceptedBootMs, outage } = isJsonObject(report) ? report : ({} as JsonObject);
  const health = {
    process: `${now.bootId} ${pid} ${startTicks}`,
    pid,
    hasCredentials: USABLE_CREDENTIALS.has(credentials),
    isAccepted: typeof lastAcceptedBootMs === 'number' && now.bootMs - lastAcceptedBootMs <= HOUR_MS,
  };
  return withDetail(health, isJsonObject(outage) ? outage['detail'] : undefined);
}

function reasonOf(ending: JsonObject): unknown {
  const { reasons } = ending;
  const [first]: readonly unknown[] = Array.isArray(reasons) ? reasons : [];
  return isJsonObject(first) ? first['message'] : undefined;
}

/** Text of the agent, for a sentence. */
function withDetail(health: AgentHealth, detail: unknown): AgentHealth {
  if (typeof detail !== 'string' || detail === '') return health;
  return { ...health, detail: detail.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, DETAIL_CHARACTERS_MAX) };
}
