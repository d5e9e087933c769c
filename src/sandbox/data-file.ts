/**
 * The sandbox's memory over restarts: its devices and its ports, as one JSON file of mode 0600.
 *
 * Written by temp file, fsync and rename, so a reader sees the old or the new file and never a torn one; changes that come
 * while a write is under way are written together after it. A file that cannot be understood, torn or from a
 * later version, is kept aside as `.unreadable` and the sandbox starts anew: its devices can be provisioned again.
 */

import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject } from './core/json-object.ts';
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

/** Reads the file, or nothing when there is none. Rejects only when the directory cannot be used. */
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
  log(
    `${path} could not be understood; it is kept as ${path}.unreadable, and the sandbox starts without devices`,
  );
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

  /** To be called after every change; returns at once. */
  markChanged(): void {
    this.#isDirty = true;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when the file holds every change so far. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await writeDurably(this.#path, formatState(this.#state()));
      } catch (error) {
        this.#log(
          `${this.#path} could not be written: ${error instanceof Error ? error.message : String(error)}`,
        );
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
