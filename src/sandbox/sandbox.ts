/**
 * The embedded ThingsBoard stand-in: one core behind a CoAP port, an HTTP port and an admin port.
 *
 *     device ──▶ coap/front-door ──┐
 *     device ──▶ http/device-api ──┼──▶ core/ ──▶ data file (devices and ports, when asked to remember)
 *     curl, tests ──▶ http/admin ──┘
 *
 * It promises the device-facing behaviour of the real server, surprises included, and a record of everything it stored. It
 * imports nothing of the agent. Disposing it closes the ports and writes what is still unwritten.
 */

import { type CoapFrontDoor, openCoapFrontDoor } from './coap/coap-server.ts';
import type { SandboxClock } from './core/clock.ts';
import { openCore, type SandboxCoreWithAdmin } from './core/core.ts';
import type { DeviceView } from './core/device-view.ts';
import { KnobError } from './core/knobs.ts';
import type { Knobs, StoredPoint } from './core/model/types.ts';
import type { DuplicatePoint, PointQuery, RecordBounds } from './core/point-record.ts';
import type { ProfileKeys } from './core/provisioning.ts';
import type { Stats } from './core/stats.ts';
import { DataFileWriter, type Memory, readDataFile } from './data-file.ts';
import { openAdmin } from './http/admin.ts';
import { openDeviceApi } from './http/http-device-api.ts';
import type { HttpListener } from './http/listener.ts';
import { openPort } from './open-port.ts';

export interface SandboxOptions {
  /** Address of the CoAP and HTTP ports; default 127.0.0.1. The admin port is on 127.0.0.1 always. */
  readonly host?: string;
  /** A port of 0, the default, is the one the data file remembers, or else any free one. */
  readonly coapPort?: number;
  readonly httpPort?: number;
  readonly adminPort?: number;
  readonly provisioning: ProfileKeys;
  readonly knobs?: Partial<Knobs>;
  /** Where to remember devices and ports; absent: nothing is remembered. */
  readonly dataFile?: string;
  readonly log?: (line: string) => void;
  /** How much the record keeps; 2 million points take about 700 MB (measured with Node 20). */
  readonly recordBounds?: RecordBounds;
  /** For tests that will not wait; the defaults are the server's (contract, sections 6, 8 and 10). */
  readonly coreTimeoutMs?: number;
  readonly rpcTimeoutMinMs?: number;
  readonly asyncTimeoutMs?: number;
  readonly clock?: SandboxClock;
}

export interface Sandbox extends AsyncDisposable {
  readonly coapPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  /** `core.admin` creates and deletes devices, revokes tokens, writes shared attributes and sends commands. */
  readonly core: SandboxCoreWithAdmin;
  devices(): readonly DeviceView[];
  points(query?: PointQuery): readonly StoredPoint[];
  duplicates(): { readonly points: readonly DuplicatePoint[]; readonly datagrams: readonly string[] };
  stats(): Stats;
  /** All or nothing; throws a KnobError that lists every problem. */
  setKnobs(patch: Partial<Knobs>): void;
  /** As a server restart: observations, message ids and RPC ids are forgotten, devices and points are kept. */
  restart(): void;
}

interface FrontDoors {
  readonly coap: CoapFrontDoor;
  readonly http: HttpListener;
  readonly admin: HttpListener;
}

/** Rejects when a knob is out of bounds, the data file's directory cannot be used, or a port cannot be bound. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const log = options.log ?? (() => undefined);
  const { dataFile } = options;
  const remembered: Memory = dataFile === undefined ? { devices: [] } : await readDataFile(dataFile, log);
  let memory = (): Memory => remembered;
  const writer = dataFile === undefined ? undefined : new DataFileWriter(dataFile, () => memory(), log);
  const core = openCore({
    ...options,
    log,
    devices: remembered.devices,
    devicesChanged: () => writer?.changed(),
  });
  const restart = (): void => {
    core.admin.restart();
    doors.coap.restart();
    doors.http.restart();
  };
  const doors = await openFrontDoors(core, options, remembered, restart);
  const ports = { coap: doors.coap.port, http: doors.http.port, admin: doors.admin.port };
  memory = () => ({ devices: core.devices(), ports });
  writer?.changed();
  await writer?.flush();
  const close = async (): Promise<void> => {
    await closeAll([doors.admin, doors.http, doors.coap]);
    core.close();
    await writer?.flush();
  };
  return sandboxOver(core, doors, restart, close);
}

async function openFrontDoors(
  core: SandboxCoreWithAdmin,
  options: SandboxOptions,
  { ports }: Memory,
  restart: () => void,
): Promise<FrontDoors> {
  const { host = '127.0.0.1', log = () => undefined, coapPort = 0, httpPort = 0, adminPort = 0 } = options;
  const opened: AsyncDisposable[] = [];
  try {
    const coap = await openPort({ name: 'CoAP', wanted: coapPort, remembered: ports?.coap, log }, (port) =>
      openCoapFrontDoor({ core, host, port, log }),
    );
    opened.push(coap);
    const http = await openPort({ name: 'HTTP', wanted: httpPort, remembered: ports?.http, log }, (port) =>
      openDeviceApi({ ...options, core, host, port, log }),
    );
    opened.push(http);
    const admin = await openPort(
      { name: 'admin', wanted: adminPort, remembered: ports?.admin, log },
      (port) => openAdmin({ admin: core.admin, port, log, restart }),
    );
    return { coap, http, admin };
  } catch (error) {
    await closeAll(opened.reverse());
    core.close();
    throw error;
  }
}

function sandboxOver(
  core: SandboxCoreWithAdmin,
  doors: FrontDoors,
  restart: () => void,
  close: () => Promise<void>,
): Sandbox {
  const { admin } = core;
  return {
    coapPort: doors.coap.port,
    httpPort: doors.http.port,
    adminPort: doors.admin.port,
    core,
    restart,
    devices: () => admin.devices(),
    points: (query) => admin.points(query),
    duplicates: () => ({ points: admin.duplicatePoints(), datagrams: admin.duplicateDatagrams() }),
    stats: () => admin.stats(),
    setKnobs: (patch) => {
      const turned = admin.turnKnobs(patch);
      if (!turned.ok) throw new KnobError([turned.message]);
    },
    [Symbol.asyncDispose]: close,
  };
}

async function closeAll(doors: readonly AsyncDisposable[]): Promise<void> {
  for (const door of doors) await door[Symbol.asyncDispose]();
}
