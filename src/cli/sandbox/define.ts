/** `firstlight sandbox`: options and help. */

import { type Command, InvalidArgumentError } from 'commander';
import type { CommandHost } from '../ui/command-host.ts';

export function defineSandbox(program: Command, { out, signal, finish }: CommandHost): void {
  program
    .command('sandbox')
    .description('run the embedded ThingsBoard stand-in')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--coap-port <port>', 'CoAP port, 0 for a free one', parsePort, 5683)
    .option('--http-port <port>', 'HTTP device API port, 0 for a free one', parsePort, 8080)
    .option('--admin-port <port>', 'admin HTTP port, 0 for a free one', parsePort, 8081)
    .option('--key <key>', 'provisioning key of the device profile', 'demo-key')
    .option('--secret <secret>', 'provisioning secret of the device profile', 'demo-secret')
    .option('--data <file>', 'keep devices and ports in this file')
    .option('--json', 'print the ports as one JSON line')
    .addHelpText('after', '\nExample: firstlight sandbox --coap-port 5683')
    .action(async (options: import('./command.ts').SandboxOptions) => {
      const { sandboxCommand } = await import('./command.ts');
      await finish(sandboxCommand(options, out, signal));
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
}
