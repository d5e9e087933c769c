/**
 * Stores the devices and ports of the sandbox in one JSON file (mode 0600), written by temporary file, fsync
 * and rename. A file that is damaged or of a later version is renamed to `.unreadable`, and the sandbox
 * starts without devices.
 */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject } from './core/json/lenient-json.ts';
import type { Device } from './core/model/devices.ts';
import { deviceRecord, parseDevice } from './device-record.ts';

export interface SandboxPorts {
  readonly coap: number;
  readonly http: number;
  readonly admin: number;
}

export interface PersistedState {
  readonly devices: readonly Device[];
  /** Absent before the first start. */
  readonly ports?: SandboxPorts;
}

const VERSION = 1;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Without a file there are no devices. Rejects if the directory or the file cannot be read. */
export async function readDataFile(path: string, log: (line: string) => void): Promise<PersistedState> {
  await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { devices: [] };
    throw error;
  }
  const state = parseState(text);
  if (state !== undefined) return state;
  await rename(path, `${path}.unreadable`);
  log(`${path} is damaged or of a later version: renamed to ${path}.unreadable, starting without devices`);
  return { devices: [] };
}

export class DataFileWriter {
  readonly #path: string;
  readonly #state: () => PersistedState;
  readonly #log: (line: string) => void;
  #writing: Promise<void> | undefined;
  #isDirty = false;

  constructor(path: string, state: () => PersistedState, log: (line: string) => void) {
    this.#path = path;
    this.#state = state;
    this.#log = log;
  }

  /**
   * Must be called after every change. Returns at once; changes during a write are written together after it.
   */
  markChanged(): void {
    this.#isDirty = true;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all changes are in the file. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await writeDurably(this.#path, formatState(this.#state()));
      } catch (error) {
        this.#log(`cannot write ${this.#path}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    this.#writing = undefined;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', FILE_MODE);
  try {
    await file.chmod(FILE_MODE);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function formatState({ devices, ports }: PersistedState): string {
  return `${JSON.stringify({ version: VERSION, ports, devices: devices.map(deviceRecord) }, undefined, 2)}\n`;
}

function parseState(text: string): PersistedState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || value['version'] !== VERSION || !Array.isArray(value['devices']))
    return undefined;
  const devices = value['devices'].map(parseDevice).filter((device) => device !== undefined);
  if (devices.length !== value['devices'].length) return undefined;
  const ports = parsePorts(value['ports']);
  return ports === undefined ? { devices } : { devices, ports };
}

function parsePorts(value: unknown): SandboxPorts | undefined {
  if (!isJsonObject(value)) return undefined;
  const { coap, http, admin } = value;
  return isPort(coap) && isPort(http) && isPort(admin) ? { coap, http, admin } : undefined;
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;
}
