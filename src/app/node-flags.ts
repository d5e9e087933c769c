/**
 * How node is started for the agent: the demo gives it these flags, the systemd unit repeats them (a test
 * holds the two together), the bench measures with them.
 *
 * RSS of the agent on Node 20.20 x64, 2026-11-22, bare node being 39 MiB: 50 after 420 readings with these
 * flags; 55 after 560 and growing without --gc-global; 61 after 300 with none. Unlike --jitless they leave
 * WebAssembly, which fetch needs. Node does not start with a flag it does not know: these were tried on 20,
 * 22 and 24.
 */

export const NODE_FLAGS: readonly string[] = [
  // New objects get 2 MiB, from the start and for good: a minute or two of the agent.
  '--min-semi-space-size=2',
  '--max-semi-space-size=2',
  // When they are used up, everything is collected: V8 would leave what has aged until there is much more.
  // On one thread, because on more it takes a third more CPU for a heap of 8 MiB.
  '--gc-global',
  '--single-threaded-gc',
  // No compiling to machine code: in a program that idles 99 % of its life it saves no time and costs memory,
  // most of it the compiler itself, read in from node's own file. Maglev is on by default from Node 24.
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];
