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

import { type CoapServer, openCoapServer } from './coap/coap-server.ts';
import type { SandboxClock } from './core/clock.ts';
import { openCore, type SandboxCoreWithAdmin } from './core/core.ts';
import type { DeviceView } from './core/device-view.ts';
import { KnobError } from './core/knobs.ts';
import type { Knobs, StoredPoint } from './core/model/types.ts';
import type { DuplicatePoint, PointQuery, RecordBounds } from './core/point-record.ts';
import type { ProfileKeys } from './core/provisioning.ts';
import type { Stats } from './core/stats.ts';
import { DataFileWriter, type PersistedState, readDataFile } from './data-file.ts';
import { openAdmin } from './http/admin.ts';
import { openHttpDeviceApi } from './http/http-device-api.ts';
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

interface Servers {
  readonly coap: CoapServer;
  readonly http: HttpListener;
  readonly admin: HttpListener;
}

/** Rejects when a knob is out of bounds, the data file's directory cannot be used, or a port cannot be bound. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const log = options.log ?? (() => undefined);
  const { dataFile } = options;
  const savedState: PersistedState =
    dataFile === undefined ? { devices: [] } : await readDataFile(dataFile, log);
  let persistedState = (): PersistedState => savedState;
  const writer =
    dataFile === undefined ? undefined : new DataFileWriter(dataFile, () => persistedState(), log);
  const core = openCore({
    ...options,
    log,
    devices: savedState.devices,
    devicesChanged: () => writer?.markChanged(),
  });
  const restart = (): void => {
    core.admin.restart();
    servers.coap.restart();
    servers.http.restart();
  };
  const servers = await openServers(core, options, savedState, restart);
  const ports = { coap: servers.coap.port, http: servers.http.port, admin: servers.admin.port };
  persistedState = () => ({ devices: core.devices(), ports });
  writer?.markChanged();
  await writer?.flush();
  const close = async (): Promise<void> => {
    await closeAll([servers.admin, servers.http, servers.coap]);
    core.close();
    await writer?.flush();
  };
  return createSandbox(core, servers, restart, close);
}

async function openServers(
  core: SandboxCoreWithAdmin,
  options: SandboxOptions,
  { ports }: PersistedState,
  restart: () => void,
): Promise<Servers> {
  const { host = '127.0.0.1', log = () => undefined, coapPort = 0, httpPort = 0, adminPort = 0 } = options;
  const opened: AsyncDisposable[] = [];
  try {
    const coap = await openPort({ name: 'CoAP', requested: coapPort, previous: ports?.coap, log }, (port) =>
      openCoapServer({ core, host, port, log }),
    );
    opened.push(coap);
    const http = await openPort({ name: 'HTTP', requested: httpPort, previous: ports?.http, log }, (port) =>
      openHttpDeviceApi({ ...options, core, host, port, log }),
    );
    opened.push(http);
    const admin = await openPort(
      { name: 'admin', requested: adminPort, previous: ports?.admin, log },
      (port) => openAdmin({ admin: core.admin, port, log, restart }),
    );
    return { coap, http, admin };
  } catch (error) {
    await closeAll(opened.reverse());
    core.close();
    throw error;
  }
}

function createSandbox(
  core: SandboxCoreWithAdmin,
  servers: Servers,
  restart: () => void,
  close: () => Promise<void>,
): Sandbox {
  const { admin } = core;
  return {
    coapPort: servers.coap.port,
    httpPort: servers.http.port,
    adminPort: servers.admin.port,
    core,
    restart,
    devices: () => admin.devices(),
    points: (query) => admin.points(query),
    duplicates: () => ({ points: admin.duplicatePoints(), datagrams: admin.duplicateDatagrams() }),
    stats: () => admin.stats(),
    setKnobs: (patch) => {
      const updated = admin.updateKnobs(patch);
      if (!updated.ok) throw new KnobError([updated.message]);
    },
    [Symbol.asyncDispose]: close,
  };
}

async function closeAll(servers: readonly AsyncDisposable[]): Promise<void> {
  for (const server of servers) await server[Symbol.asyncDispose]();
}
