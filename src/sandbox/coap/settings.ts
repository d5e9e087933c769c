/**
 * All times and limits of the CoAP server. The times are ThingsBoard's and Californium's (contract section
 * 2); only tests change them. The limits are the sandbox's own: beyond a limit the oldest entry is dropped,
 * which looks to a client like a restarted server.
 */

export interface CoapSettings {
  /** A CON request without a response by then gets an empty ACK. `transport.coap.piggyback_timeout`. */
  readonly piggybackMs: number;
  /**
   * The first retransmission follows after this time multiplied by 1 to `ackRandomFactor`; then it doubles.
   */
  readonly ackTimeoutMs: number;
  readonly ackRandomFactor: number;
  readonly retransmissionsMax: number;
  /** A pushed RPC without an acknowledgement by then is reported as not delivered (section 6). */
  readonly rpcAckMs: number;
  /** How long the message ID of a CON (NON) request is remembered. */
  readonly conMemoryMs: number;
  readonly nonMemoryMs: number;
  /** How long an unfinished block-wise transfer is kept after its last block. */
  readonly blockStatusMs: number;
  /** Maximum of one Block1 body, and of all unfinished uploads together. */
  readonly bodyBytesMax: number;
  /** Larger datagrams are dropped. */
  readonly datagramBytesMax: number;
  /** Remembered requests. */
  readonly exchangesMax: number;
  /** The server's own CON messages without an ACK so far. */
  readonly transmissionsMax: number;
  /** Uploads in progress, and as many responses stored for Block2. */
  readonly transfersMax: number;
  readonly observationsMax: number;
  /** A simulation uses its own time. */
  readonly startTimer: StartTimer;
  /** A monotonic clock, ms. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1): for message IDs and the jitter of retransmissions. */
  readonly random: () => number;
}

/** Runs `action` once after `ms`, unless the returned function is called first. */
export type StartTimer = (action: () => void, ms: number) => () => void;

export const systemTimer: StartTimer = (action, ms) => {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
};

export const defaultSettings: CoapSettings = {
  piggybackMs: 500,
  ackTimeoutMs: 2_000,
  ackRandomFactor: 1.5,
  retransmissionsMax: 4,
  rpcAckMs: 10_000,
  conMemoryMs: 247_000,
  nonMemoryMs: 145_000,
  blockStatusMs: 300_000,
  bodyBytesMax: 256 * 1024 * 1024,
  datagramBytesMax: 2_048,
  exchangesMax: 20_000,
  transmissionsMax: 20_000,
  transfersMax: 500,
  observationsMax: 50_000,
  startTimer: systemTimer,
  nowMs: () => performance.now(),
  random: () => Math.random(),
};
