/** What root's part of an update needs of the host. All have a double whose power can be cut. */

import type { GateObservation } from '../../core/update/health-gate.ts';
import type { UpdateSource } from '../update-source.ts';

/** Files below a directory of root. A method that changes something returns when the change is durable. */
export interface InstallationDisk {
  /** Undefined if there is no regular file. */
  size(path: string): number | undefined;
  /** Throws what the system reports. */
  open(path: string): UpdateSource & Disposable;
  /** The same for a file in a directory that another user can change; `path` is relative, and no part of it may be a link. */
  openBeneath(directory: string, path: string): UpdateSource & Disposable;
  /** Undefined if it is missing or larger than `bytesMax`. */
  readText(path: string, bytesMax: number): string | undefined;
  /** Creates a file (0600) under a temporary name; `fill` writes it. `path` is the whole file or, after an error, the old one. */
  create(path: string, fill: (write: (bytes: Buffer) => void) => Promise<void>): Promise<void>;
  replaceText(path: string, text: string, mode: number): void;
  rename(from: string, to: string): void;
  /** Succeeds if nothing is there. */
  remove(path: string): void;
  /** Free space of the file system, bytes. */
  freeBytes(path: string): number;
}

export interface PackageFields {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
}

export type DpkgResult =
  | { readonly ok: true }
  /** `isLocked`: another package manager is running. */
  | { readonly ok: false; readonly problem: string; readonly isLocked?: boolean };

export interface Dpkg {
  /** The architecture of this host. */
  architecture(): Promise<string>;
  /** The installed version; undefined if dpkg has not installed the package completely. */
  installedVersion(): Promise<string | undefined>;
  /** Undefined if the file is no package. */
  fields(deb: string): Promise<PackageFields | undefined>;
  /** Whether the package contains root's part of the update, without which a gateway could not go back. */
  canGoBack(deb: string): Promise<boolean>;
  /** Installs this file over whatever is installed, and keeps changed configuration files. */
  install(deb: string): Promise<DpkgResult>;
  /** Completes what a power cut or a time-out interrupted, also of other packages. Never rejects. */
  configure(): Promise<void>;
  /** Makes a package of the installed files. */
  repack(deb: string): Promise<DpkgResult>;
}

export interface AgentService {
  observe(): Promise<GateObservation>;
  /** How long the watchdog lets the agent be silent, ms. */
  watchdogMs(): Promise<number>;
  /** Starts the installed version without waiting for it. */
  restart(): Promise<void>;
  /** Stops firstlight-update.path until the next boot, or until an operator starts it. */
  stopPath(): Promise<void>;
}
