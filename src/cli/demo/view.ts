/**
 * What the demo shows of the sandbox: the newest values it holds, in one line, asked of its admin port.
 */

import { unitOf } from '../../sensors/catalogue.ts';
import { formatBytes } from '../ui/format.ts';

/** Keys shown, in this order, those that this host has; the others are only counted. */
const SHOWN_KEYS = [
  'cpuUsePercent',
  'load1',
  'memoryUsedPercent',
  'diskRootFreeBytes',
  'cpuTemperatureC',
  'uptimeS',
];
/** Points asked for: more than any host makes between two looks. */
const POINTS_MAX = 200;

interface Point {
  readonly key: string;
  readonly ts: number;
  readonly value: number | string | boolean;
}

/** How many points the sandbox has stored since it started; 0 when it does not answer. */
export async function storedPoints(adminPort: number): Promise<number> {
  const stats = (await fetchJson(adminPort, '/stats')) as { points?: { stored?: number } } | undefined;
  return stats?.points?.stored ?? 0;
}

/**
 * What the server's history says of now: the newest value of each key, because a reading brings only those that changed.
 */
export class StoredValues {
  readonly #adminPort: number;
  readonly #newest = new Map<string, Point>();
  #shownTs = Number.NEGATIVE_INFINITY;

  constructor(adminPort: number) {
    this.#adminPort = adminPort;
  }

  /** One line, when there is something newer than at the last look. */
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
    return undefined; // the sandbox is starting or stopping; the next look tells
  }
}
