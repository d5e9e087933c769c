/**
 * What the sandbox's two front doors (CoAP and HTTP) ask of its core, and what the core may answer.
 *
 * The split is the real server's own: the transports know the wire, the core knows devices. Every
 * answer below is a fact about the request, never a status code; each front door translates it
 * (contract, sections 3.2, 4.1, 5, 6 and 8). Promises resolve after the latency knob has passed, so a
 * front door can show its deferred behaviour (empty ACK at 500 ms) against a slow core.
 *
 * The sandbox imports nothing of the agent, so that a misreading of the contract cannot agree with itself.
 */

/** Answer of the token check. `unavailable`: the core did not answer within 10 s (5.00 / 500). */
export type TokenCheck =
  | { readonly status: 'ok'; readonly device: DeviceHandle }
  | { readonly status: 'unauthorized' }
  | { readonly status: 'unavailable' };

/** A device as a front door sees it. */
export interface DeviceHandle {
  readonly id: string;
  readonly name: string;
  /** False when the profile's transport type is neither DEFAULT nor COAP: CoAP then answers 5.00 for ever (trap 19). */
  readonly coapAllowed: boolean;
}

/**
 * Answer to a provisioning request.
 * `answered`: `json` is the exact text to send, members in the server's order; CoAP sends it with 2.01 when
 * `success`, else 4.00; HTTP always with 200. `malformed`: empty 4.00 / HTTP 500 with `message`.
 * `unavailable`: 5.00 / 500, empty.
 */
export type ProvisionAnswer =
  | { readonly status: 'answered'; readonly success: boolean; readonly json: string }
  | { readonly status: 'malformed'; readonly message: string }
  | { readonly status: 'unavailable' };

/**
 * Answer to a post (telemetry, attributes, claim, RPC reply).
 * `malformed`: 4.00 / 500 with `message`. `failed`: 5.00 / 500. `silent`: no answer at all, ever (trap 6).
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

/** What an observer (CoAP) or a long poll (HTTP) is told about one device. Each returns nothing and must not throw. */
export interface DeviceListener {
  /** Changed shared attributes as a flat JSON object text, or `{"deleted":[..]}`. */
  sharedAttributes?(json: string): void;
  rpc?(command: RpcCommand): void;
  /** The device was deleted or its token revoked: observations end with 2.02, a long poll tells the two apart. */
  ended?(reason: EndReason): void;
}

/** Why a device's listeners are sent away. */
export type EndReason = 'deleted' | 'revoked';

/** Which road a request came by; recorded with every stored point. */
export type Via = 'coap' | 'http';

/** The core as the front doors see it. Every method is safe with any input and never rejects. */
export interface SandboxCore {
  readonly knobs: Knobs;
  /** An empty body never comes here: the CoAP front door answers 4.00 with the bytes 08 02, HTTP answers 400. */
  provision(body: string, via: Via): Promise<ProvisionAnswer>;
  checkToken(token: string): Promise<TokenCheck>;
  telemetry(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  publishAttributes(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  /** Absent key lists mean "not asked for"; both absent means everything of both scopes. */
  readAttributes(
    device: DeviceHandle,
    keys: { readonly clientKeys?: readonly string[]; readonly sharedKeys?: readonly string[] },
  ): Promise<AttributeAnswer>;
  /** All shared attributes as a flat JSON object text, `{}` when none: the first answer to an attribute observation. */
  sharedAttributes(device: DeviceHandle): Promise<string>;
  /**
   * Subscribes to one device; pending RPCs are pushed at once to a listener that has `rpc`. Returns the unsubscribe.
   */
  subscribe(device: DeviceHandle, listener: DeviceListener): () => void;
  /** The transport's word that a pushed command arrived (CON acknowledged, poll answered) or did not. */
  rpcDelivered(device: DeviceHandle, id: number, delivered: boolean): void;
  rpcReply(device: DeviceHandle, id: number, body: string, via: Via): Promise<PostAnswer>;
  /** Device-to-server RPC. With the default rule chain nothing replies: `silent`. */
  clientRpc(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  claim(device: DeviceHandle, body: string, via: Via): Promise<PostAnswer>;
  /** Told by the CoAP endpoint: a datagram with a message ID already known (a retransmission) arrived. */
  recordDuplicateDatagram(detail: string): void;
}

/**
 * Everything a test may turn while the sandbox runs (contract, section 13). All optional in a patch; the defaults
 * are those of a healthy server with the default tenant profile.
 */
export interface Knobs {
  /** Time the core takes to answer, ms, uniform between min and max. Default 20 to 50. Over 10 000 is `unavailable`. */
  coreLatencyMinMs: number;
  coreLatencyMaxMs: number;
  /** Share of datagrams lost, doubled or delayed out of order, 0 to 1, in each direction. Default 0. */
  lossIn: number;
  lossOut: number;
  duplicateIn: number;
  duplicateOut: number;
  reorderOut: number;
  /** Seed of those dice; setting it restarts them. */
  seed: number;
  /** `separate`: kind A answers as ThingsBoard 4.3 gives them; `piggyback`: as its pull request #15174 will. */
  kindA: 'separate' | 'piggyback';
  /** Provisioning strategy of the one device profile. `chain`: never answers in time (3.3). */
  strategy: 'create' | 'pre-provisioned' | 'disabled' | 'chain';
  deviceLimitReached: boolean;
  /** Every authenticated post answers 5.00 / 500 (rate limit, outage). */
  rateLimited: boolean;
  /** Requests are processed and stored, but no answer leaves (a lost answer). */
  silent: boolean;
  /** Nothing at all is read from the sockets: a dead server. */
  dead: boolean;
  /** Transport type of the profile; anything but DEFAULT and COAP makes CoAP answer 5.00. */
  transportType: 'DEFAULT' | 'COAP' | 'MQTT' | 'LWM2M' | 'SNMP';
  /** JSON_TYPE_CAST_ENABLED (4.2). */
  typeCast: boolean;
}

/** One stored time-series point. `type` is what the server made of the value (4.2). */
export interface StoredPoint {
  readonly device: string;
  readonly key: string;
  /** Unix milliseconds: the body's, or the server's clock when the body gave none. */
  readonly ts: number;
  /** A long beyond JavaScript's safe integers is a string of its digits, with type `long`; JSON is its text. */
  readonly value: boolean | number | string;
  readonly type: 'boolean' | 'long' | 'double' | 'string' | 'json';
  readonly via: Via;
  /** True when the body carried the timestamp. */
  readonly tsGiven: boolean;
  /** Server clock at storing, Unix ms. */
  readonly storedAt: number;
}

export type CredentialsType = 'ACCESS_TOKEN' | 'X509_CERTIFICATE' | 'MQTT_BASIC' | 'LWM2M_CREDENTIALS';
