import { checkCommand } from './command.ts'
import { createHosts } from './hosts.ts'
import { createKeyFinder } from './keys.ts'
import type { RunOf } from './types.ts'
import { listFiles, readPieces, treeOf } from './walk.ts'

/** Findings of one kind that are reported. */
const MAX_REPORTED = 16

export type Checked = {
  /** about the code, whatever service carries it */
  readonly found: readonly string[]
  /** about this description of it */
  readonly unfit: readonly string[]
  /** worth knowing, and no reason against it */
  readonly notes: readonly string[]
}

/** Looks at every file of a folder, and at the description of the service that it is the code of. */
export function checkFolder(dir: string, service: unknown): Checked {
  const { run, network, toolchain } = readService(service)
  const found: string[] = []
  const hosts = createHosts(network)
  for (const file of listFiles(dir)) {
    if ((file.mode & 0o6000) !== 0) found.push(`${file.path} runs as its owner or group (setuid or setgid)`)
    const keys = createKeyFinder(file)
    for (const piece of readPieces(file)) {
      keys.look(piece.text)
      hosts.look(file.path, piece)
    }
    for (const kind of keys.found()) found.push(`${file.path} has ${kind}`)
  }
  const command = checkCommand(treeOf(dir), run, { toolchain })
  return {
    found: found.slice(0, MAX_REPORTED),
    unfit: command.unfit,
    notes: [...command.notes, ...hosts.undeclared().slice(0, MAX_REPORTED)],
  }
}

/** What the hub writes is well-formed; still, a text about untrusted code is untrusted. */
function readService(service: unknown): { run: RunOf; network: string[]; toolchain: string[] } {
  const value = fields(service)
  const run = fields(value.run)
  const command = texts(run.command)
  if (command.length === 0) throw new Error('the description of the service names no command')
  return {
    run: {
      command,
      build: run.build === undefined ? undefined : texts(run.build),
      workdir: typeof run.workdir === 'string' ? run.workdir : '',
    },
    network: texts(value.network),
    toolchain: texts(value.toolchain),
  }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}
