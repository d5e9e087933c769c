/**
 * The flags with which Node runs the agent. The demo and the bench use them; a test compares them with the systemd unit.
 *
 * Measured on Node 20.20 x64, 2026-11-22 (bare Node: 39 MiB RSS): 50 MiB after 420 readings with these flags, 55 after 560 and
 * growing without --gc-global, 61 after 300 with none. Unlike --jitless they keep WebAssembly, which fetch needs. Node does not
 * start with an unknown flag; Node 20, 22 and 24 accept these.
 */

export const NODE_FLAGS: readonly string[] = [
  // 2 MiB for new objects, fixed: one to two minutes of the agent's work.
  '--min-semi-space-size=2',
  '--max-semi-space-size=2',
  // Every collection is a full one; by default V8 leaves old objects until the heap is much larger.
  // One thread: several take a third more CPU for a heap of 8 MiB.
  '--gc-global',
  '--single-threaded-gc',
  // No machine code: the agent idles 99 % of the time, and the compilers cost memory, mostly for themselves.
  // Maglev is on by default from Node 24.
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];
