/** The process of the DTLS helper inside a machine: its rights, compared with those of the agent. */

import type { Booted } from '../site.ts';

/** No argument but the version of the frames. */
const COMMAND_LINE = /^\/usr\/libexec\/firstlight\/firstlight-dtls( --protocol=\d+)?$/;
const NO_CAPABILITY = '0000000000000000';

export async function helperPids({ machine }: Booted): Promise<readonly string[]> {
  const { out } = await machine.run(['pgrep', '--exact', 'firstlight-dtls']);
  return out.split('\n').filter((pid) => pid !== '');
}

/** A sentence for each right that the helper has and should not have. There must be one helper. */
export async function helperProblems(booted: Booted): Promise<readonly string[]> {
  const { machine, service } = booted;
  const [pid, ...others] = await helperPids(booted);
  const agent = await service.property('MainPID');
  if (pid === undefined || others.length > 0)
    return [`${others.length + (pid ? 1 : 0)} helpers run, not one`];
  const read = async (line: string) => (await machine.sh(line)).out.trim();
  const [own, agents] = [await statusOf(pid), await statusOf(agent)];
  const expected: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => [name, NO_CAPABILITY]),
    ),
    NoNewPrivs: '1',
    Seccomp: '2',
    Uid: agents.get('Uid') ?? 'none',
    Gid: agents.get('Gid') ?? 'none',
  };
  const problems = Object.entries(expected)
    .filter(([name, value]) => own.get(name) !== value)
    .map(([name, value]) => `the helper has ${name} ${own.get(name)}, not ${value}`);
  if (/^0\b/.test(own.get('Uid') ?? '0')) problems.push('the helper runs as root');
  for (const kind of ['mnt', 'net', 'user']) {
    const [one, other] = [
      await read(`readlink /proc/${pid}/ns/${kind}`),
      await read(`readlink /proc/${agent}/ns/${kind}`),
    ];
    if (one !== other || one === '') problems.push(`its namespace is ${one}, that of the agent ${other}`);
  }
  const group = await read(`cat /proc/${pid}/cgroup`);
  if (!group.includes('/system.slice/firstlight.service')) problems.push(`its control group is ${group}`);
  const [commandLine, environment] = [
    await read(`tr '\\0' ' ' </proc/${pid}/cmdline`),
    await read(`tr '\\0' ' ' </proc/${pid}/environ`),
  ];
  if (!COMMAND_LINE.test(commandLine)) problems.push(`its command line is ${commandLine}`);
  if (environment !== '') problems.push(`its environment is ${environment}`);
  return problems;

  async function statusOf(process: string): Promise<ReadonlyMap<string, string>> {
    const { out } = await machine.run(['cat', `/proc/${process}/status`]);
    return new Map(
      out.split('\n').map((line) => {
        const [name = '', ...values] = line.split(/\s+/);
        return [name.replace(':', ''), values.join(' ')];
      }),
    );
  }
}
