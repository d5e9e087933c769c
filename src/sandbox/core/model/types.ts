/**
 * The interface between the device APIs (CoAP and HTTP) and the core of the sandbox, split as on the real
 * server. The core's answers are independent of the protocol; each device API maps them to codes (contract
 * sections 3.2, 4.1, 5, 6 and 8). Promises resolve after the latency of the knobs.
 */

/** `unavailable`: the core did not answer within 10 s (5.00 / 500). */
export type TokenCheck =
  | { readonly status: 'ok'; readonly device: DeviceHandle }
  | { readonly status: 'unauthorized' }
  | { readonly status: 'unavailable' };

/** A device in the device APIs. */
export interface DeviceHandle {
  readonly id: string;
  readonly name: string;
  /**
   * False if the transport type of the profile is neither DEFAULT nor COAP: CoAP then always responds 5.00
   * (trap 19).
   */
  readonly coapAllowed: boolean;
}

/**
 * Answer to a provisioning request. `answered`: `json` is the exact response text; CoAP sends it with 2.01 if
 * `success`, else 4.00; HTTP always with 200. `malformed`: empty 4.00 / HTTP 500 with `message`.
 * `unavailable`: 5.00 / 500, empty.
 */
export type ProvisionAnswer =
  | { readonly status: 'answered'; readonly success: boolean; readonly json: string }
  | { readonly status: 'malformed'; readonly message: string }
  | { readonly status: 'unavailable' };

/**
 * Answer to a post (telemetry, attributes, claim, RPC reply).
 * `malformed`: 4.00 / 500 with `message`. `failed`: 5.00 / 500. `silent`: no response (trap 6).
 */
export type PostAnswer =
  | { readonly status: 'accepted' }
  | { readonly status: 'malformed'; readonly message: string }
  | { readonly status: 'failed' }
  | { readonly status: 'silent' };

/** Answer to an attribute read. `json` is `{"client":{..},"shared":{..}}`; `nothing` is 4.04 / `{}`. */
export type AttributeAnswer =
  | { readonly status: 'found'; readonly json: string }
  | { readonly status: 'nothing' }
  | { readonly status: 'failed' }
  | { readonly status: 'silent' };

/** A server-side RPC as pushed to the device: `{"id":0,"method":"reboot","params":{..}}`. */
export interface RpcCommand {
  readonly id: number;
  readonly json: string;
}

/** An observation (CoAP) or a long poll (HTTP) of one device. Its methods must not throw. */
export interface DeviceListener {
  /** Changed shared attributes as a flat JSON object, or `{"deleted":[..]}`. */
  sharedAttributes?(json: string): void;
  rpc?(command: RpcCommand): void;
  /** A long poll: takes one RPC and gets no other. */
  readonly takesOneRpc?: boolean;
  /** An observation ends with 2.02 for both reasons, a long poll with 403 or 408. */
  ended?(reason: EndReason): void;
}

/** `firmware` has the path /fw and attributes fw_*, `software` /sw and sw_* (section 7). */
export type PackageType = 'firmware' | 'software';

/** A request for the package that is assigned to a device, or for one chunk of it. */
export interface PackageRequest {
  readonly type: PackageType;
  /** Compared if present; HTTP requires both. */
  readonly title?: string;
  readonly version?: string;
  /** Bytes of a chunk; below 1: the whole package. NaN for a text that is no number. */
  readonly size: number;
  /** Counts chunks of `size` bytes from 0. */
  readonly chunk: number;
}

/**
 * Answer to a package request. `found`: 2.05 / 200; `data` is empty past the end, to which CoAP does not
 * respond. `mismatch`: another title or version is assigned, 4.00 / 400. `none`: no package, or one at
 * another place, 4.04 / 404. `failed`: 5.00 / 500. `silent`: no response.
 */
export type PackageAnswer =
  | { readonly status: 'found'; readonly data: Buffer; readonly fileName: string }
  | { readonly status: 'mismatch' | 'none' | 'failed' | 'silent' };

/** The device was deleted, or its token revoked. */
export type EndReason = 'deleted' | 'revoked';

/** The protocol of a request; recorded with every stored point. */
export type Via = 'coap' | 'http';

/** The core for the device APIs. Every method accepts any input and never rejects. */
export interface SandboxCore {
  readonly knobs: Knobs;
  /** `body` is not empty: for an empty body CoAP responds 4.00 with the bytes 08 02, HTTP 400. */
  provision(body: string, via: Via): Promise<ProvisionAnswer>;
  checkToken(token: string): Promise<TokenCheck>;
  /** `certificate`: Base64 of the DER that a device showed in its DTLS handshake (section 9). */
  checkCertificate(certificate: string): Promise<TokenCheck>;
  telemetry(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  publishAttributes(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  /** Without a key list the scope is not read; without both lists both scopes are read completely. */
  readAttributes(
    device: DeviceHandle,
    keys: { readonly clientKeys?: readonly string[]; readonly sharedKeys?: readonly string[] },
  ): Promise<AttributeAnswer>;
  /** All shared attributes as a flat JSON object, for the first response to an attribute observation. */
  sharedAttributes(device: DeviceHandle): Promise<string>;
  /** Pushes pending RPCs at once to a listener with `rpc`. Returns the unsubscribe function. */
  subscribe(device: DeviceHandle, listener: DeviceListener): () => void;
  /** Must be called for each pushed RPC: whether it was delivered (CON acknowledged, poll answered). */
  rpcDelivered(device: DeviceHandle, id: number, delivered: boolean): void;
  rpcReply(device: DeviceHandle, id: number, body: string, via: Via): Promise<PostAnswer>;
  /** Device-to-server RPC. With the default rule chain there is no reply: `silent`. */
  clientRpc(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  claim(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  readPackage(device: DeviceHandle, request: PackageRequest): Promise<PackageAnswer>;
  /** Called by the CoAP server for a datagram with a known message ID (a retransmission). */
  recordDuplicateDatagram(detail: string): void;
}

/**
 * The behaviour that a test can change while the sandbox runs (contract section 13). The defaults are those
 * of a healthy server with the default tenant profile.
 */
export interface Knobs {
  /** Latency of the core, ms, uniform between min and max. Default 20 to 50. Over 10,000 is `unavailable`. */
  coreLatencyMinMs: number;
  coreLatencyMaxMs: number;
  /** Share of datagrams lost, duplicated or reordered, 0 to 1, per direction. Default 0. */
  lossIn: number;
  lossOut: number;
  duplicateIn: number;
  duplicateOut: number;
  reorderOut: number;
  /** Seed of the random source; setting it restarts the sequence. */
  seed: number;
  /** Kind A responses. `separate`: like ThingsBoard 4.3; `piggyback`: like its pull request #15174. */
  kindA: 'separate' | 'piggyback';
  /** Provisioning strategy of the device profile. `chain`: does not answer in time (3.3). */
  strategy: 'create' | 'pre-provisioned' | 'disabled' | 'chain';
  /**
   * A pre-provisioned device that asks again gets SUCCESS with its token again, as from servers of 2024 and
   * earlier; by default it is declined, as by 4.3.1.3 (section 3.3).
   */
  repeatedProvisioning: boolean;
  deviceLimitReached: boolean;
  /** Every authenticated post gets 5.00 / 500 (rate limit, outage). */
  rateLimited: boolean;
  /**
   * Data points that a device may post: `points:seconds`, several with commas. A post over it gets 5.00 / 500
   * without a body, like one under `rateLimited`. Empty: no limit, the default.
   */
  dataPointLimit: string;
  /** Requests are processed and stored, but no response is sent (a lost response). */
  silent: boolean;
  /** Nothing is read from the sockets: a dead server. */
  dead: boolean;
  /** Transport type of the profile; with others than DEFAULT and COAP, CoAP responds 5.00. */
  transportType: 'DEFAULT' | 'COAP' | 'MQTT' | 'LWM2M' | 'SNMP';
  /** JSON_TYPE_CAST_ENABLED (4.2). */
  typeCast: boolean;
}

/** One stored time-series point. `type` is the type that the server chose for the value (4.2). */
export interface StoredPoint {
  readonly device: string;
  readonly key: string;
  /** Unix ms, from the body or else from the server's clock. */
  readonly ts: number;
  /** A long beyond JavaScript's safe integers is a string of digits with type `long`; JSON is a string. */
  readonly value: boolean | number | string;
  readonly type: 'boolean' | 'long' | 'double' | 'string' | 'json';
  /** `server`: ThingsBoard itself, for the state of an update. */
  readonly via: Via | 'server';
  /** True if the body contained the timestamp. */
  readonly tsGiven: boolean;
  /** Server clock when the point was stored, Unix ms. */
  readonly storedAt: number;
}

export type CredentialsType = 'ACCESS_TOKEN' | 'X509_CERTIFICATE' | 'MQTT_BASIC' | 'LWM2M_CREDENTIALS';
