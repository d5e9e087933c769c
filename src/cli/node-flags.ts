/**
 * How node is started for the agent: the demo gives it these flags, the systemd unit repeats them (a test holds
 * the two together), the bench measures with them.
 *
 * RSS after 560 readings on Node 20.20 x64, 2026-11-22, bare node being 39 MiB: 49.5 with all of them and flat;
 * 55.5 and growing without the second; 61 after 300 readings with none. Unlike --jitless they leave
 * WebAssembly, which fetch needs. Node does not start with a flag it does not know: these were tried on 20, 22
 * and 24.
 */

export const NODE_FLAGS: readonly string[] = [
  // New objects get 1 MiB before the collector looks, not up to 16: a minute of the agent makes less.
  '--max-semi-space-size=1',
  // Each look is at everything, about 10 ms every 80 s: V8 would leave what has aged until there is much more.
  '--gc-global',
  // No compiling to machine code: for a program that idles 99 % of its life it costs memory and saves no time,
  // most of it the compiler itself, read in from node's own file. Maglev is on by default from Node 24.
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];
