/**
 * The flags with which Node runs the agent. The demo and the bench use them; a test compares them with the systemd unit.
 *
 * docs/decisions/0010-run-without-compilers.md has what each one saves. Unlike --jitless they keep WebAssembly, which fetch needs.
 * Node does not start with an unknown flag; Node 20, 22 and 24 accept these.
 */

export const NODE_FLAGS: readonly string[] = [
  // 1 MiB for new objects, fixed: almost a minute of the agent's work. Old objects are collected when they have grown by a few
  // MiB; by default V8 waits until the heap is much larger.
  '--optimize-for-size',
  // Several threads take a third more CPU for a heap of 8 MiB.
  '--single-threaded-gc',
  // No machine code: the agent idles 99 % of the time, and the compilers cost memory, mostly for themselves.
  // Maglev is on by default from Node 24.
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];
