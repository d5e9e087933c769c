/**
 * How node is started for the agent: the demo gives it these flags, the systemd unit repeats them (a test
 * holds the two together), the bench measures with them.
 *
 * Compiling to machine code costs more memory than it saves time in a program that is idle 99 % of its life:
 * after 60 readings the agent has an RSS of 49 instead of 58 MiB, most of the difference being the compiler
 * itself, read in from node's own file (npm run bench, 2026-11-22, Node 20.20 x64; Node 24 59 instead of 65).
 * Unlike --jitless this leaves WebAssembly, which fetch needs. Node refuses to start with a flag it does not
 * know: try a new one on Node 20, 22 and 24 first.
 */

export const NODE_FLAGS: readonly string[] = [
  // New objects get 1 MiB before the collector looks, not up to 16: a minute of the agent makes less.
  '--max-semi-space-size=1',
  '--no-opt',
  // On by default from Node 24.
  '--no-maglev',
  '--no-sparkplug',
];
