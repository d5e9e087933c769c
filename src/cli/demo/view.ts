/** The newest values that the sandbox has stored, as one line, read from its admin port. */

import { unitOf } from '../../sensors/catalogue.ts';
import { formatBytes } from '../ui/format.ts';

/** Shown in this order if the host has them; all other keys are only counted. */
const SHOWN_KEYS = [
  'cpuUsePercent',
  'load1',
  'memoryUsedPercent',
  'diskRootFreeBytes',
  'cpuTemperatureC',
  'uptimeS',
];
/** More points than any host sends between two requests. */
const POINTS_MAX = 200;

interface Point {
  readonly key: string;
  readonly ts: number;
  readonly value: number | string | boolean;
}

/** How many points the sandbox has stored since its start; 0 if it does not respond. */
export async function storedPoints(adminPort: number): Promise<number> {
  const stats = (await fetchJson(adminPort, '/stats')) as { points?: { stored?: number } } | undefined;
  return stats?.points?.stored ?? 0;
}

/** The newest value of each key. It is collected over several readings, because a reading contains only changed values. */
export class StoredValues {
  readonly #adminPort: number;
  readonly #newest = new Map<string, Point>();
  #shownTs = Number.NEGATIVE_INFINITY;

  constructor(adminPort: number) {
    this.#adminPort = adminPort;
  }

  /** The line, if there is a newer value than at the last call. */
  async latestLine(): Promise<{ tsMs: number; text: string } | undefined> {
    const points =
      ((await fetchJson(this.#adminPort, `/points?limit=${POINTS_MAX}`)) as Point[] | undefined) ?? [];
    for (const point of points) {
      if (point.ts >= (this.#newest.get(point.key)?.ts ?? point.ts)) this.#newest.set(point.key, point);
    }
    const tsMs = Math.max(...[...this.#newest.values()].map(({ ts }) => ts));
    if (this.#newest.size === 0 || tsMs <= this.#shownTs) return undefined;
    this.#shownTs = tsMs;
    const shown = SHOWN_KEYS.filter((key) => this.#newest.has(key));
    const parts = shown.map((key) => `${key} ${formatAmount(key, this.#newest.get(key)?.value)}`);
    const rest = this.#newest.size - shown.length;
    return { tsMs, text: [...parts, ...(rest > 0 ? [`and ${rest} more`] : [])].join('  ') };
  }
}

function formatAmount(key: string, value: Point['value'] | undefined): string {
  const unit = unitOf(key);
  if (typeof value !== 'number' || !unit.startsWith('B')) return `${value} ${unit}`.trim();
  return formatBytes(value, unit).join(' ');
}

async function fetchJson(adminPort: number, path: string): Promise<unknown> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
      signal: AbortSignal.timeout(2_000),
    });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined; // the sandbox is starting or stopping
  }
}
