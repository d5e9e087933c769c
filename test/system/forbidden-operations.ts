/**
 * The operations that the service must not be able to do, as a program that tries each and prints one line of
 * JSON: `{"kind":…,"name":…,"isDenied":…,"observed":…}`.
 *
 * The program is text because it runs inside the container, in the sandbox of the service and on its Node.
 * perl, which every Debian has, makes the system calls that Node does not offer.
 */

export const FOREIGN_FILE = '/home/alice/diary';
export const SETUID_PROGRAM = '/usr/local/bin/firstlight-test-id';

/** Expressions of the program below; if one throws, the operation was denied. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'write to /etc': `fs.writeFileSync('/etc/firstlight-test', '')`,
  'write to /usr': `fs.writeFileSync('/usr/lib/firstlight/firstlight-test', '')`,
  'write to /var/lib': `fs.writeFileSync('/var/lib/firstlight-forbidden', '')`,
  'write to /boot': `fs.writeFileSync('/boot/firstlight-test', '')`,
  "read another user's home": `fs.readFileSync('${FOREIGN_FILE}')`,
  "list root's home": `fs.readdirSync('/root')`,
  'set a kernel parameter': `fs.writeFileSync('/proc/sys/kernel/hostname', 'firstlight-test')`,
  'read the kernel log': `fs.readSync(fs.openSync('/dev/kmsg', 'r'), Buffer.alloc(8192))`,
  "read PID 1's environment": `fs.readFileSync('/proc/1/environ')`,
  'make a control group': `fs.mkdirSync('/sys/fs/cgroup/firstlight-test')`,
  'signal PID 1': `process.kill(1, 0)`,
  'become root': `perl('POSIX::setuid(0)')`,
  'open a raw socket': `perl('socket(S, 2, 3, 1)')`,
  'open a packet socket': `perl('socket(S, 17, 3, 0)')`,
  'set the clock': `perl(number(227, 112) + ', 0, pack("qq", time, 0)) == 0')`,
  'make a user namespace': `perl(number(272, 97) + ', 0x10000000) == 0')`,
  'mount a file system': `perl(number(165, 40) + ', my $a = "none", my $b = "/tmp", my $c = "tmpfs", 0, 0) == 0')`,
  'load a kernel module': `perl(number(175, 105) + ', my $a = "", 0, my $b = "") == 0 or $!{ENOEXEC}')`,
  'make a setuid file': `fs.chmodSync((fs.writeFileSync(own, ''), own), 0o4755)`,
  'become root by a setuid program': `root(run('${SETUID_PROGRAM}', ['-u']))`,
};

/** Operations that the agent does not need but can do; reported, not promised. */
const TOLERATED: Readonly<Record<string, string>> = {
  'run a shell': `run('/bin/sh', ['-c', 'true'])`,
};

export const FORBIDDEN_COUNT = Object.keys(FORBIDDEN).length;

export function forbiddenOperationsProgram(): string {
  return `import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
const own = (process.env.STATE_DIRECTORY ?? '/tmp') + '/firstlight-test';
function run(program, commandArguments) {
  const { status, error, stdout, stderr } = spawnSync(program, commandArguments, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error('ended with ' + status + ' ' + stderr.trim());
  return stdout;
}
function perl(condition) {
  return run('/usr/bin/perl', ['-MErrno', '-MPOSIX', '-e', 'exit 0 if (' + condition + '); print STDERR $!; exit 1']);
}
// System call numbers: of x86-64, and those that all later architectures share.
function number(x64, others) {
  return 'syscall(' + (process.arch === 'x64' ? x64 : others);
}
function root(uid) {
  if (uid.trim() !== '0') throw new Error('it ran as user ' + uid.trim());
}
const forbidden = { ${entries(FORBIDDEN)} };
const tolerated = { ${entries(TOLERATED)} };
for (const [kind, operations] of Object.entries({ forbidden, tolerated })) {
  for (const [name, attempt] of Object.entries(operations)) {
    let isDenied = true, observed = '';
    try { attempt(); isDenied = false; } catch (error) { observed = String(error.code ?? error.message); }
    console.log(JSON.stringify({ kind, name, isDenied, observed }));
  }
}
`;
}

function entries(operations: Readonly<Record<string, string>>): string {
  return Object.entries(operations)
    .map(([name, code]) => `${JSON.stringify(name)}: () => ${code}`)
    .join(',\n');
}
