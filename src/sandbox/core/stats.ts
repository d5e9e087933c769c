/**
 * The sandbox in numbers: what was stored, what was doubled, what was asked and what became of it.
 */

import type { DeviceCounters, PointRecord } from './point-record.ts';
import type { Tenant } from './tenant.ts';

export interface Stats {
  readonly startedAtMs: number;
  readonly devices: number;
  readonly points: ReturnType<PointRecord['totals']>;
  /** Requests by what became of them, such as `telemetry accepted` or `provision SUCCESS`. */
  readonly requests: Readonly<Record<string, number>>;
  /** By device name; a device that stored nothing is absent. */
  readonly perDevice: Readonly<Record<string, Readonly<DeviceCounters>>>;
}

export function collectStats(tenant: Tenant): Stats {
  return {
    startedAtMs: tenant.startedAtMs,
    devices: tenant.devices.all().length,
    points: tenant.record.totals(),
    requests: tenant.requests(),
    perDevice: Object.fromEntries(tenant.record.allCounters()),
  };
}
