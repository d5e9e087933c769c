/** `firstlight sandbox`: options and help. */

import { type Command, InvalidArgumentError } from 'commander';
import type { CommandHost } from '../ui/terminal.ts';

export function defineSandbox(program: Command, { out, signal, finish }: CommandHost): void {
  program
    .command('sandbox')
    .description('run the embedded ThingsBoard sandbox server')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--coap-port <port>', 'CoAP port; 0 selects a free port', parsePort, 5683)
    .option('--http-port <port>', 'port of the HTTP device API; 0 selects a free port', parsePort, 8080)
    .option('--admin-port <port>', 'port of the admin HTTP API; 0 selects a free port', parsePort, 8081)
    .option(
      '--coaps-port <port>',
      'also listen on coaps; 0 selects a free port; needs npm run build',
      parsePort,
    )
    .option('--key <key>', 'provisioning key of the device profile', 'demo-key')
    .option('--secret <secret>', 'provisioning secret of the device profile', 'demo-secret')
    .option('--data <file>', 'store devices and ports in this file')
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
  throw new InvalidArgumentError('must be a whole number from 0 to 65535.');
}
