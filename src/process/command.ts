import { isAbsolute } from 'node:path'
import { InputError, UnavailableError } from '../base/errors.ts'
import { PROCESSES, type ProcessKind, type ProcessRule } from './kinds.ts'
import { isExecutable } from './programs.ts'

/** What is to be started. Everything that it does not name the process does not have. */
export type ProcessSpec = {
  readonly kind: ProcessKind
  /** absolute path */
  readonly program: string
  readonly args: readonly string[]
  /** only what the kind's row names passes */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

const BUSYBOX = '/bin/busybox'

/**
 * Shells that can close a descriptor whose number has two digits; the last is busybox, which is one by its first argument.
 * bash takes a socket as its input for a remote login, and would run a person's .bashrc.
 */
const SHELLS = [
  ['/bin/bash', '--norc', '-p'],
  ['/usr/bin/bash', '--norc', '-p'],
  ['/usr/local/bin/bash', '--norc', '-p'],
  [BUSYBOX, 'sh'],
] as const

/**
 * Runs as the new process, before the program: only the descriptors that are meant stay open, and it has no environment.
 * The program comes after it by exec, so it has the same pid and no parent in between.
 */
const CONFINE = `umask "$1" || exit 126
ulimit -Sc 0; ulimit -Hc 0; ulimit -Sn "$2" 2>/dev/null; ulimit -Hn "$2" 2>/dev/null
ulimit -St "$3"; ulimit -Ht "$3"
if [ "$4" != unlimited ]; then ulimit -Sd "$4" 2>/dev/null; ulimit -Hd "$4" 2>/dev/null; fi
last=$5; shift 5
for f in ${process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'}/*; do
  n=\${f##*/}
  case $n in *[!0-9]*) exit 126;; esac
  if [ "$n" -gt "$last" ]; then eval "exec $n>&-"; fi
done
`

/** The last line of the script. Without variables bash clears the environment itself; with some, the program `env` sets them. */
const BARE = 'exec -c "$@"'
const WITH_ENV = 'exec /usr/bin/env -i "$@"'

/** The program and arguments that start it sealed. `descriptors`: how many it has, 0, 1 and 2 included. */
export function confinedCommand(spec: ProcessSpec, descriptors: number): { file: string; args: string[] } {
  const rule: ProcessRule = PROCESSES[spec.kind]
  if (!isAbsolute(spec.program)) throw new InputError(`${spec.program} is started by its absolute path only`)
  if (!isExecutable(spec.program)) throw new UnavailableError(`${spec.program} is not an executable file`)
  if (descriptors > 3 + rule.descriptors.length) {
    throw new InputError(`a ${spec.kind} process has ${3 + rule.descriptors.length} descriptors at most`)
  }
  const [shell, ...first] = shellOf()
  const env = Object.entries(environmentOf(rule, spec.env ?? {})).map(([name, value]) => `${name}=${value}`)
  const start = [
    ...first,
    '-c',
    `${CONFINE}${env.length === 0 && shell !== BUSYBOX ? BARE : WITH_ENV}`,
    'sh',
    rule.umask.toString(8).padStart(4, '0'),
    `${rule.files}`,
    `${rule.cpuSeconds ?? 'unlimited'}`,
    rule.memory === undefined ? 'unlimited' : `${rule.memory * 1024}`,
    `${descriptors - 1}`,
  ]
  return { file: shell, args: [...start, '--', ...env, spec.program, ...spec.args] }
}

/** What of `env` passes: the names of the row, of which none is one that a loader, a C library or a shell obeys. */
function environmentOf({ environment }: ProcessRule, env: NonNullable<ProcessSpec['env']>): Record<string, string> {
  const passes = (name: string) =>
    environment.some((row) => (row.endsWith('*') ? name.startsWith(row.slice(0, -1)) : row === name))
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.includes('=') || !passes(name) ? [] : [[name, value]],
    ),
  )
}

let known: readonly [string, ...string[]] | undefined

function shellOf(): readonly [string, ...string[]] {
  known ??= SHELLS.find(([path]) => isExecutable(path))
  if (known === undefined)
    throw new UnavailableError('bash is missing, which closes what a process must not have: install bash')
  return known
}
