/**
 * What the demo shows of the sandbox: the newest reading it holds, in one line, asked of its admin port.
 */

import { describeKey } from '../sensors/catalogue.ts';
import { humanised } from './humanise.ts';

/** Keys shown, in this order, those that this host has; the others are only counted. */
const SHOWN = [
  'cpuUsePercent',
  'load1',
  'memoryAvailableBytes',
  'diskRootFreeBytes',
  'cpuTemperatureC',
  'processCount',
];
/** Points asked for: more than one reading of any host has. */
const POINTS_MAX = 200;

interface Point {
  readonly key: string;
  readonly ts: number;
  readonly value: number | string | boolean;
}

/** How many points the sandbox has stored since it started; 0 when it does not answer. */
export async function storedPoints(adminPort: number): Promise<number> {
  const stats = (await ask(adminPort, '/stats')) as { points?: { stored?: number } } | undefined;
  return stats?.points?.stored ?? 0;
}

/** The newest reading, or undefined when there is none yet. */
export async function latestReading(adminPort: number): Promise<{ tsMs: number; text: string } | undefined> {
  const points = ((await ask(adminPort, `/points?limit=${POINTS_MAX}`)) as Point[] | undefined) ?? [];
  const newest = Math.max(...points.map(({ ts }) => ts));
  const reading = new Map(points.filter(({ ts }) => ts === newest).map(({ key, value }) => [key, value]));
  if (reading.size === 0) return undefined;
  const shown = SHOWN.filter((key) => reading.has(key));
  const parts = shown.map((key) => `${key} ${amount(key, reading.get(key))}`);
  const rest = reading.size - shown.length;
  return { tsMs: newest, text: [...parts, ...(rest > 0 ? [`and ${rest} more`] : [])].join('  ') };
}

function amount(key: string, value: Point['value'] | undefined): string {
  const unit = describeKey(key)?.unit ?? '';
  if (typeof value !== 'number' || !unit.startsWith('B')) return `${value} ${unit}`.trim();
  return humanised(value, unit).join(' ');
}

async function ask(adminPort: number, path: string): Promise<unknown> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
      signal: AbortSignal.timeout(2_000),
    });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined; // the sandbox is starting or stopping; the next look tells
  }
}
