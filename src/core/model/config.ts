/**
 * The settings of the agent: complete, validated, in the units of their names. config/ creates them or
 * reports every problem.
 */

import type { CommandsConfig } from './commands-config.ts';
import type { CustomSensor } from './custom-sensor.ts';
import type { Secret } from './secret.ts';
import type { Selection } from './sensor-selection.ts';
import type { UpdateSchedule } from './update-schedule.ts';

/**
 * Who chooses the access token: the gateway (recoverable after a lost answer) or the server (contract 3.5).
 */
export type CredentialMode = 'device-generated' | 'server-generated';

/** What happens to the provisioning secret after credentials are stored. */
export type AfterSuccess = 'keep' | 'forget';

/**
 * When the agent trusts the clock of the host: after a time service has set it, or always.
 */
export type ClockTrust = 'synchronised' | 'system';

/** The values of a message: the changed ones, or all of them. */
export const REPORTS = ['changes', 'all'] as const;
export type Report = (typeof REPORTS)[number];

/** coap and coaps are UDP, http and https TCP. */
export type Scheme = 'coap' | 'coaps' | 'http' | 'https';

/** Whether nothing leaves this host in plaintext. */
export function isEncryptedScheme(scheme: Scheme): boolean {
  return scheme === 'coaps' || scheme === 'https';
}

export interface ServerAddress {
  /** As configured, without credentials; shown in logs and failures. */
  readonly url: string;
  readonly scheme: Scheme;
  /** A name, an IPv4 or an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Which sensors are read, how often, and how their values are changed. */
export interface SensorTuning {
  readonly selection: Selection;
  /** By sensor name: 1 s to 24 h, in ms. */
  readonly everyMs: ReadonlyMap<string, number>;
  /** Key to its new name; all names are distinct, and none equals another key. */
  readonly rename: ReadonlyMap<string, string>;
  /** By key or glob: a factor, not 0. */
  readonly scale: ReadonlyMap<string, number>;
  /** By key or glob: added after the factor. */
  readonly offset: ReadonlyMap<string, number>;
}

export interface SensorsConfig extends SensorTuning {
  /** Custom sensors, at most 16 programs, 32 files and 32 GPIO lines, with distinct names. */
  readonly custom: readonly CustomSensor[];
}

/** The forward proxy for http and https. */
export interface ProxyAddress {
  /** Without credentials, for logs. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The value of Proxy-Authorization. */
  readonly authorization?: Secret;
  /** The configured password, so that it can be redacted; absent if there is none. */
  readonly password?: Secret;
}

/** Trusted certificates and the client certificate for coaps and https. */
export interface TlsSettings {
  /** PEM of certificates that are trusted in addition to those of the host. */
  readonly ca?: string;
  /** SHA-256 of public keys (SPKI), Base64; empty: not checked. */
  readonly pins: readonly string[];
  /** PEM of the client certificate with its chain, and of its key. */
  readonly client?: { readonly cert: string; readonly key: Secret };
}

/** One URL of the server, with its proxy. */
export type EndpointConfig = ServerAddress & { readonly proxy?: ProxyAddress };

export interface Config {
  readonly server: {
    /** Endpoints of one server, the preferred one first. At most 8. */
    readonly endpoints: readonly [EndpointConfig, ...EndpointConfig[]];
    readonly tls: TlsSettings;
    /**
     * The first provisioning request waits a random part of this, so that a fleet does not arrive at once. 0
     * to 1 h.
     */
    readonly spreadMs: number;
  };
  /**
   * Absent if not configured, if its secret file was deleted, and with a fixed token. Needed only to
   * provision.
   */
  readonly provisioning?: {
    readonly key: string;
    readonly secret: Secret;
    readonly credentials: CredentialMode;
    /**
     * `forget`: after credentials are stored, the agent deletes `secretFile` and never provisions again by
     * itself.
     */
    readonly afterSuccess: AfterSuccess;
    /**
     * The configured file of the secret; absent for a systemd credential, which the agent must not delete.
     */
    readonly secretFile?: string;
  };
  readonly device: {
    /** Absent: derived from the board. 1 to 255 characters, trimmed, no control characters, no < or >. */
    readonly name?: string;
    /** A fixed access token, without provisioning. 1 to 255 printable ASCII characters, no space, / or ?. */
    readonly token?: Secret;
    /**
     * The client certificate is the credentials of the device (contract section 9), as with a coaps URL. Then `token` is its
     * SHA-256 in hexadecimal: it tells one device from another and is sent nowhere.
     */
    readonly isCertificate?: true;
  };
  readonly telemetry: {
    /** 1 s to 24 h. */
    readonly intervalMs: number;
    readonly report: Report;
    /** Maximum rate of the backlog, messages per second. Integer, 1 to 1000. */
    /** How long new readings are gathered before they are sent together, ms; 0: not at all. */
    readonly sendEveryMs: number;
    readonly drainPerS: number;
    /**
     * Key or glob to the minimum change that is reported, above 0. At most 64 entries; others: every change.
     */
    readonly deadbands: ReadonlyMap<string, number>;
  };
  readonly sensors: SensorsConfig;
  readonly commands: CommandsConfig;
  readonly update: UpdateSchedule;
  readonly outbox: {
    /** Maximum time of a reading in memory only. 5 s to 1 h. */
    readonly spoolAfterMs: number;
    /** Interval of writes to the spool during an outage. 5 s to 1 h. */
    readonly flushEveryMs: number;
    /** Maximum size of the spool. 1 MB to 16 GB. */
    readonly spoolBytes: number;
    /** The share of the file system that stays free. 0 to 0.9. */
    readonly freeShare: number;
  };
  readonly clock: {
    readonly trust: ClockTrust;
  };
  readonly remote: {
    /** Whether shared attributes of the server set settings. */
    readonly settings: boolean;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'text' | 'json';
  };
}
