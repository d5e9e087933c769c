/**
 * The embedded stand-in for a ThingsBoard server, with its device-facing behaviour and a record of all stored
 * points:
 *
 *     device ──▶ coaps/dtls-front ──▶ coap/coap-server
 *     device ──▶ coap/coap-server ──────┐
 *     device ──▶ http/http-device-api ──┼──▶ core/ ──▶ data file (devices and ports, optional)
 *     curl, tests ──▶ http/admin ───────┘
 */

import { type CoapServer, openCoapServer } from './coap/coap-server.ts';
import { type CoapsOptions, type CoapsPort, openCoapsPort } from './coaps/coaps-port.ts';
import type { SandboxClock } from './core/clock.ts';
import { openCore, type SandboxCoreWithAdmin } from './core/core.ts';
import type { DeviceView } from './core/device-view.ts';
import { KnobError } from './core/knobs.ts';
import type { Knobs, StoredPoint } from './core/model/types.ts';
import type { DuplicatePoint, PointQuery, RecordBounds } from './core/point-record.ts';
import type { ProfileKeys } from './core/provisioning.ts';
import type { Stats } from './core/tenant-admin.ts';
import { DataFileWriter, type PersistedState, readDataFile } from './data-file.ts';
import { openAdmin } from './http/admin.ts';
import { openHttpDeviceApi } from './http/http-device-api.ts';
import type { HttpListener } from './http/listener.ts';
import { openPort } from './open-port.ts';

export interface SandboxOptions {
  /** Address of the CoAP and HTTP ports; default 127.0.0.1. The admin port is always on 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the port in the data file, else any free port. */
  readonly coapPort?: number;
  readonly httpPort?: number;
  readonly adminPort?: number;
  /** Also listens on coaps. Rejects where the DTLS front is not compiled. */
  readonly coaps?: CoapsOptions;
  readonly provisioning: ProfileKeys;
  readonly knobs?: Partial<Knobs>;
  /** Stores devices and ports across restarts; absent: they are lost. */
  readonly dataFile?: string;
  readonly log?: (line: string) => void;
  /** Default: 2 million points, about 700 MB (measured with Node 20). */
  readonly recordBounds?: RecordBounds;
  /** Shorter times, for tests; the defaults are the server's (contract sections 6, 8 and 10). */
  readonly coreTimeoutMs?: number;
  readonly rpcTimeoutMinMs?: number;
  readonly asyncTimeoutMs?: number;
  readonly clock?: SandboxClock;
}

export interface Sandbox extends AsyncDisposable {
  readonly coapPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  /** Only with the option `coaps`. */
  readonly coaps?: CoapsPort;
  /**
   * `core.admin` creates and deletes devices, revokes tokens, writes shared attributes, assigns packages and
   * sends RPC.
   */
  readonly core: SandboxCoreWithAdmin;
  devices(): readonly DeviceView[];
  points(query?: PointQuery): readonly StoredPoint[];
  duplicates(): { readonly points: readonly DuplicatePoint[]; readonly datagrams: readonly string[] };
  stats(): Stats;
  /** Applies all knobs or none; throws a KnobError that lists every problem. */
  setKnobs(patch: Partial<Knobs>): void;
  /** Simulates a server restart: loses observations, message IDs and RPC IDs, keeps devices and points. */
  restart(): void;
  /** Closes the ports and writes the data file. */
  [Symbol.asyncDispose](): Promise<void>;
}

interface Servers {
  readonly coap: CoapServer;
  readonly http: HttpListener;
  readonly admin: HttpListener;
  readonly coaps?: CoapsPort;
}

/** Rejects if a knob is out of range, the data file cannot be read, or a port cannot be bound. */
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
    await closeAll([...(servers.coaps ? [servers.coaps] : []), servers.admin, servers.http, servers.coap]);
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
  let coaps: CoapsPort | undefined;
  try {
    const coap = await openPort({ name: 'CoAP', requested: coapPort, previous: ports?.coap, log }, (port) =>
      openCoapServer({ core, host, port, log, certificateOf: (peer) => coaps?.certificateOf(peer) }),
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
    opened.push(admin);
    if (options.coaps) coaps = await openCoapsPort(host, coap.port, options.coaps);
    return { coap, http, admin, ...(coaps && { coaps }) };
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
    ...(servers.coaps && { coaps: servers.coaps }),
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
