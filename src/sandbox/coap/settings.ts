/**
 * Every number of the CoAP front door in one place: the real server's times (contract, section 2) and our own bounds.
 *
 * The times are ThingsBoard's and Californium's and should be left alone except by a test that cannot wait 93 s for a
 * retransmission to give up. The bounds are ours: whatever is remembered is limited, and past the limit the oldest is
 * forgotten, which a client sees as a server that restarted.
 */

export interface CoapSettings {
  /** A CON request not answered by then gets an empty ACK. `transport.coap.piggyback_timeout`. */
  readonly piggybackMs: number;
  /** First retransmission of an own CON comes after this times 1 to `ackRandomFactor`; then doubling. */
  readonly ackTimeoutMs: number;
  readonly ackRandomFactor: number;
  readonly retransmissionsMax: number;
  /** A pushed RPC not acknowledged by then is reported to the core as not delivered (section 6). */
  readonly rpcAckMs: number;
  /** How long the message ID of a CON or NON request is remembered. */
  readonly conMemoryMs: number;
  readonly nonMemoryMs: number;
  /** How long half a block-wise transfer is kept after its last block. */
  readonly blockStatusMs: number;
  /** Largest request body put together from Block1; also the most all unfinished uploads hold together. */
  readonly bodyBytesMax: number;
  /** Larger datagrams are dropped unread. */
  readonly datagramBytesMax: number;
  /** Requests remembered at once. */
  readonly exchangesMax: number;
  /** Own CON messages waiting for an ACK at once. */
  readonly transmissionsMax: number;
  /** Uploads in progress, and large answers kept for Block2, at once (each). */
  readonly transfersMax: number;
  readonly observationsMax: number;
  /** Runs `action` once after `ms`, unless the returned function is called first; a simulation gives its own time. */
  readonly startTimer: StartTimer;
  /** Any clock that never steps, ms. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1): message IDs and the spread of retransmissions. */
  readonly random: () => number;
}

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
