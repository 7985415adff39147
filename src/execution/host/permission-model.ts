import { join } from 'node:path'
import { RunRefusedError } from '../errors.ts'
import type { Plan } from '../types.ts'

/** Where a container would do as well. */
export const OR_ENGINE = ' or a Docker engine'
export const INSTALL_BUBBLEWRAP = `install bubblewrap (Debian: apt-get install bubblewrap; Fedora: dnf install bubblewrap)${OR_ENGINE}`

/** What of a grant Node's permission model does not enforce. */
const WEAKER = [
  "network: open where ports are declared, with this machine's sockets",
  'memory: watched',
  'cpu: not limited',
  'pids: no child processes',
  'system calls: not filtered',
]

export function unenforcedByPermissions(): string[] {
  return process.getuid?.() === 0
    ? [...WEAKER, 'disk: memory, beside the memory grant']
    : [...WEAKER, 'disk: watched', "user: the node's own"]
}

const PROGRAMS = new Set(['node', 'nodejs'])

/**
 * Without bubblewrap: Node's permission model around the one program. It contains mistakes, not attacks, so
 * only the operator's own services are run so.
 */
export function permissionCommand(
  plan: Plan,
  init: { node: string; workDir: string; codeDir: string | undefined; ownAddress: string },
): string[] {
  const service = `this service runs in a sandbox only: ${INSTALL_BUBBLEWRAP}`
  if (plan.author !== init.ownAddress || plan.readOnlyMounts !== undefined) throw new RunRefusedError(service)
  const [program = '', script, ...args] = plan.command
  if (!plan.toolchain.includes('node.js') || !PROGRAMS.has(program)) throw new RunRefusedError(service)
  const { codeDir } = init
  if (codeDir === undefined) throw new RunRefusedError(service)
  if (script === undefined || script.startsWith('-')) {
    throw new RunRefusedError(
      `without a sandbox the command must be "node FILE ...", without options: ${INSTALL_BUBBLEWRAP}`,
    )
  }
  const read = [codeDir, init.workDir].map((dir) => `--allow-fs-read=${join(dir, '*')}`)
  const write = [init.workDir, ...(plan.purpose === 'build' ? [codeDir] : [])].map(
    (dir) => `--allow-fs-write=${join(dir, '*')}`,
  )
  const heap = Math.max(16, Math.floor((plan.grant.memoryBytes / 2 ** 20) * 0.75))
  // Before Node 26 the model leaves the network alone and knows no such flag.
  const net = plan.ports.length > 0 && process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  const flags = ['--permission', ...read, ...write, ...net, '--no-experimental-sqlite', `--max-old-space-size=${heap}`]
  return [init.node, ...flags, ...(hasEnv(plan) ? ['--import', SET_ENV] : []), script, ...args]
}

/** What the program begins with. The author's variables are one value, which no other user of the machine can read. */
export function permissionEnv(plan: Pick<Plan, 'env'>, workDir: string): Record<string, string> {
  return {
    ...{ HOME: workDir, TMPDIR: workDir, LANG: 'C.UTF-8' },
    ...(hasEnv(plan) && { [AUTHORS_ENV]: JSON.stringify(Object.entries(plan.env)) }),
  }
}

function hasEnv({ env }: Pick<Plan, 'env'>): boolean {
  return Object.keys(env).length > 0
}

const AUTHORS_ENV = 'THUNDERCLOUD_ENV'

/**
 * Sets the author's variables when Node is confined, before the author's program begins: no loader, C library or option
 * parser, which read theirs when they begin, sees any of them.
 */
const SET_ENV = `data:text/javascript,${encodeURIComponent(
  `const { ${AUTHORS_ENV}: entries } = process.env
   delete process.env.${AUTHORS_ENV}
   for (const [name, value] of JSON.parse(entries)) process.env[name] = value`,
)}`
