/**
 * The agent's settings as the rest of the program sees them: complete, checked, in the units of their names.
 *
 * config/ makes one of these from files, environment and credentials, or lists every problem; nobody else
 * parses.
 */

import type { CustomSensor } from './custom-sensor.ts';
import type { Secret } from './secret.ts';
import type { Selection } from './selection.ts';

/**
 * Who chooses the access token: the gateway (recoverable after a lost answer) or the server (contract 3.5).
 */
export type CredentialMode = 'device-generated' | 'server-generated';

/** What becomes of the provisioning secret once credentials are stored. */
export type AfterSuccess = 'keep' | 'forget';

/**
 * When the host's clock dates readings: once a time service has set it, or always, for a host that has none.
 */
export type ClockTrust = 'synchronised' | 'system';

export interface ServerAddress {
  /** As the operator wrote it, without credentials; what logs and refusals show. */
  readonly url: string;
  readonly scheme: 'coap' | 'http' | 'https';
  /** A name, an IPv4 or an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What is read of this host, how often, and what becomes of it on its way into a reading. */
export interface SensorTuning {
  readonly selection: Selection;
  /** By the name of a sensor: 1 s to 24 h. */
  readonly everyMs: ReadonlyMap<string, number>;
  /** Key to its new name; no two have the same, and none has that of another key. */
  readonly rename: ReadonlyMap<string, string>;
  /** By key or glob: a factor, not 0. */
  readonly scale: ReadonlyMap<string, number>;
  /** By key or glob: what is added after the factor. */
  readonly offset: ReadonlyMap<string, number>;
}

export interface SensorsConfig extends SensorTuning {
  /** The operator's own, at most 16 programs, 32 files and 32 lines; no two have one name. */
  readonly custom: readonly CustomSensor[];
}

/** The forward proxy that http and https go through. */
export interface ProxyAddress {
  /** As logs show it: without credentials. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The value of Proxy-Authorization. */
  readonly authorization?: Secret;
  /** What the operator wrote, so that it can be kept out of every text; absent when there is none. */
  readonly password?: Secret;
}

/** Whom https trusts, and how it shows who it is. */
export interface TlsSettings {
  /** PEM of certificates trusted beside those of the host. */
  readonly ca?: string;
  /** SHA-256 of public keys (SPKI), Base64; none: not asked. */
  readonly pins: readonly string[];
  /** PEM of our own certificate, with its chain, and of its key. */
  readonly client?: { readonly cert: string; readonly key: Secret };
}

/** One way to the server. */
export type EndpointConfig = ServerAddress & { readonly proxy?: ProxyAddress };

export interface Config {
  readonly server: {
    /** To one and the same server, the preferred one first. At most 8. */
    readonly endpoints: readonly [EndpointConfig, ...EndpointConfig[]];
    readonly tls: TlsSettings;
    /**
     * The first provisioning request waits a random part of this, so that a fleet does not arrive at once. 0
     * to 1 h.
     */
    readonly spreadMs: number;
  };
  /** Absent when none is configured, when its secret file was forgotten, and beside a fixed token; needed only to provision. */
  readonly provisioning?: {
    readonly key: string;
    readonly secret: Secret;
    readonly credentials: CredentialMode;
    /** `forget`: once credentials are stored, `secretFile` is deleted and the agent never provisions again by itself. */
    readonly afterSuccess: AfterSuccess;
    /** The file the secret came from, if it came from one the operator named; a systemd credential is not ours to delete. */
    readonly secretFile?: string;
  };
  readonly device: {
    /** Absent: derived from the board. 1 to 255 characters, trimmed, no control characters, no < or >. */
    readonly name?: string;
    /** A fixed access token: with it nothing is ever provisioned. 1 to 255 of printable ASCII, no space, / or ?. */
    readonly token?: Secret;
  };
  readonly telemetry: {
    /** 1 s to 24 h. */
    readonly intervalMs: number;
    /** Messages per second in which a backlog is delivered. 1 to 1000, whole. */
    readonly drainPerS: number;
    /** Key or glob to the least change that is reported anew, above 0. At most 64; no key: every change is. */
    readonly deadbands: ReadonlyMap<string, number>;
  };
  readonly sensors: SensorsConfig;
  readonly outbox: {
    /** How long a reading may wait in memory only. 5 s to 1 h. */
    readonly spoolAfterMs: number;
    /** How often what was read is written while the server is away. 5 s to 1 h. */
    readonly flushEveryMs: number;
    /** What the spool may take of the disk. 1 MB to 16 GB. */
    readonly spoolBytes: number;
    /** The share of the file system that is left free. 0 to 0.9. */
    readonly freeShare: number;
  };
  readonly clock: {
    readonly trust: ClockTrust;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'text' | 'json';
  };
}
