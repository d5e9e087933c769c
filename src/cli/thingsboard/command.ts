/**
 * `firstlight thingsboard setup` and `remove`: log in, check the server, make or remove, and say what was done with each entity.
 * Exit codes: 0 done, 1 refused by the server or declined, 64 wrong usage, 73 file not written, 75 server not reachable, 130
 * cancelled.
 */

import { EX_CANTCREAT, EX_FAILED, EX_OK, EX_STOPPED, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { VERSION } from '../../app/version.ts';
import { parseServerUrls } from '../../config/values/server-url.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { ProvisioningPair } from '../../thingsboard/assets/profile.ts';
import { Entities } from '../../thingsboard/rest/entities.ts';
import { RestError } from '../../thingsboard/rest/rest-error.ts';
import { planRemoval, type RemovalPlan, remove } from '../../thingsboard/setup/remove.ts';
import { checkServer } from '../../thingsboard/setup/server-check.ts';
import { type ItemResult, setUp } from '../../thingsboard/setup/setup.ts';
import { confirm } from '../ui/confirm.ts';
import { assetSources } from './asset-sources.ts';
import { type CommandPorts, connect, type LoginOptions, serverAddress, UsageError } from './connect.ts';
import { gatewayFile, writeGatewayFile, writeProblem } from './gateway-file.ts';
import { resultLine } from './result-line.ts';

export interface SetupCommandOptions extends LoginOptions {
  readonly serverUrl?: string;
  readonly write?: string;
  readonly dryRun?: boolean;
  readonly reset?: boolean;
}

export interface RemoveOptions extends LoginOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

type WriteLine = (line: string) => void;

export async function setupThingsboard(options: SetupCommandOptions, ports: CommandPorts): Promise<number> {
  return reportErrors(ports, async (writeLine) => {
    const urls = gatewayUrls(options);
    const problem = options.write === undefined ? undefined : writeProblem(options.write);
    if (problem !== undefined) {
      writeLine(problem);
      return EX_CANTCREAT;
    }
    const entities = new Entities(await connect(options, ports));
    const hasAlarmRules = await reportServer(entities, options, writeLine);
    const { dryRun = false, reset = false } = options;
    const left: ItemResult[] = [];
    const { pair } = await setUp(entities, {
      sources: assetSources(),
      version: VERSION,
      hasAlarmRules,
      dryRun,
      reset,
      onResult: (result) => {
        writeLine(resultLine(result, dryRun));
        if (result.decision.do === 'leave') left.push(result);
      },
    });
    if (left.length > 0)
      writeLine(
        `${left.length} left as ${left.length === 1 ? 'it is' : 'they are'}; --reset makes them as new.`,
      );
    if (dryRun) {
      writeLine('Nothing was changed.');
      return EX_OK;
    }
    return printGatewayFile(options, urls, pair, writeLine);
  });
}

async function reportServer(
  entities: Entities,
  { url }: LoginOptions,
  writeLine: WriteLine,
): Promise<boolean> {
  const user = await entities.user();
  const server = await entities.server();
  writeLine(`ThingsBoard ${server.version} ${server.edition} at ${url}, user ${user.name}`);
  const { hasAlarmRules, notes } = checkServer(server, user);
  for (const note of notes) writeLine(`Note: ${note}`);
  return hasAlarmRules;
}

/** server.url of the gateways. */
function gatewayUrls({ url, serverUrl }: SetupCommandOptions): readonly string[] {
  const { url: webUrl } = serverAddress(url);
  if (serverUrl === undefined) return [webUrl];
  const parsed = parseServerUrls(serverUrl);
  if (typeof parsed === 'string')
    throw new UsageError(
      `--server-url ${serverUrl} ${parsed}: give the URL that gateways use, such as coap://tb.example.com`,
    );
  return parsed.map((address) => address.url);
}

function printGatewayFile(
  { write }: SetupCommandOptions,
  urls: readonly string[],
  pair: ProvisioningPair | undefined,
  writeLine: WriteLine,
): number {
  if (pair === undefined) {
    writeLine(
      'The device profile does not let devices be created: open "Device provisioning" in it and choose "Allow to create new devices", or run this command with --reset.',
    );
    return EX_FAILED;
  }
  if (write === undefined) {
    writeLine('');
    writeLine(gatewayFile(urls, pair, false).trimEnd());
    return EX_OK;
  }
  const failure = writeGatewayFile(write, gatewayFile(urls, pair, true));
  writeLine(
    failure ??
      `${write} has the settings and the secret of the gateways: copy it to the boot partition as firstlight.toml.`,
  );
  return failure === undefined ? EX_OK : EX_CANTCREAT;
}

export async function removeFromThingsboard(options: RemoveOptions, ports: CommandPorts): Promise<number> {
  return reportErrors(ports, async (writeLine) => {
    const entities = new Entities(await connect(options, ports));
    await reportServer(entities, options, writeLine);
    const plan = await planRemoval(entities);
    if (plan === undefined || plan.items.length === 0) {
      writeLine('There is nothing here that setup made.');
      if (plan) writeLine(devicesLine(plan));
      return EX_OK;
    }
    for (const { kind, name } of plan.items) writeLine(`to remove: ${kind} "${name}"`);
    if (plan.deviceCount > 0) writeLine(devicesLine(plan));
    if (options.dryRun) {
      writeLine('Nothing was changed.');
      return EX_OK;
    }
    if (!options.yes) {
      if (!ports.input.isTTY) {
        writeLine('Input is not a terminal: confirm with --yes. Nothing was changed.');
        return EX_USAGE;
      }
      if (!(await confirm({ input: ports.input, out: ports.out }, 'Remove them? [y/N] ', ports.signal))) {
        writeLine('Nothing was changed.');
        return EX_FAILED;
      }
    }
    await remove(entities, plan, ({ kind, name }) => writeLine(`removed: ${kind} "${name}"`));
    return EX_OK;
  });
}

function devicesLine({ deviceCount }: RemovalPlan): string {
  const devices = deviceCount === 1 ? '1 device uses' : `${deviceCount} devices use`;
  return `The device profile stays, because ${devices} it. Delete them or give them another profile, then run remove again.`;
}

async function reportErrors(
  ports: CommandPorts,
  operation: (writeLine: WriteLine) => Promise<number>,
): Promise<number> {
  const writeLine = (line: string) => void ports.out.write(`${line}\n`);
  try {
    return await operation(writeLine);
  } catch (error) {
    if (ports.signal.aborted) {
      writeLine('Cancelled. Run the command again to complete it.');
      return EX_STOPPED;
    }
    if (!(error instanceof RestError || error instanceof UsageError)) throw error;
    writeLine(errorMessage(error));
    if (error instanceof UsageError) return EX_USAGE;
    return error.reason === 'unreachable' ? EX_TEMPFAIL : EX_FAILED;
  }
}
