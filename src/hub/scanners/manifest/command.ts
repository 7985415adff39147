import { join, normalize } from 'node:path'
import type { CodeTree, RunOf } from './types.ts'

/** Programs that take a file of the code, and which of their arguments is that file. */
const INTERPRETERS: Readonly<Record<string, readonly RegExp[]>> = {
  node: [/\.[cm]?[jt]s$/],
  nodejs: [/\.[cm]?[jt]s$/],
  python: [/\.pyz?$/],
  python3: [/\.pyz?$/],
  ruby: [/\.rb$/],
  php: [/\.php$/],
  perl: [/\.pl$/],
  sh: [/\.sh$/],
  bash: [/\.sh$/],
}

/** A file that is a program of its own, and no program of a machine. */
const SCRIPT = /\.([cm]?[jt]s|pyz?|rb|php|pl|sh)$/

/** Where a run sees its code. */
const CODE = '/code/'

/** Options of interpreters after which no file follows: the program is in the argument itself, or in a module. */
const INLINE = new Set(['-e', '-c', '-m', '-p', '--eval', '--print', '-r', '--version'])

/**
 * Does the program that the service starts exist? A build's output is unknown before the build. `programs`: what the toolchains
 * are known to bring.
 */
export function checkCommand(
  tree: CodeTree,
  { command, build, workdir }: RunOf,
  { toolchain, programs = [] }: { toolchain: readonly string[]; programs?: readonly string[] },
): { unfit: string[]; notes: string[] } {
  const unfit: string[] = []
  const notes: string[] = []
  const fileAt = (path: string) => tree.file(placeOf(workdir, path))
  if (build === undefined && workdir !== '' && !tree.isFolder(placeOf('', workdir))) {
    unfit.push(`run.workdir is ${quoted(workdir)}, and the code has no such folder`)
  }
  for (const [field, words] of [
    ['run.command', command],
    ['run.build', build],
  ] as const) {
    if (words === undefined || (field === 'run.command' && build !== undefined)) continue
    const [program = '', ...args] = words
    const missing = missingOf(program, args, (path) => fileAt(path) !== undefined)
    if (missing !== undefined) unfit.push(`${field} names ${quoted(missing)}, and the code has no such file`)
    else if (isOfCode(program) && fileAt(program)?.executable === false) {
      unfit.push(`${field} names ${quoted(program)}, and that file of the code is not executable`)
    } else if (SCRIPT.test(program) && !program.includes('/')) {
      unfit.push(`${field} is ${quoted(program)}, which is looked for among programs; write ${quoted(`./${program}`)}`)
    } else if (!program.includes('/') && INTERPRETERS[program] === undefined && !programs.includes(program)) {
      const which = toolchain.length === 0 ? 'a toolchain' : `the toolchain ${toolchain.join(', ')}`
      notes.push(`${field} is ${quoted(program)}, and it is not known whether ${which} has this program`)
    }
  }
  return { unfit, notes }
}

/** The file of the code that a command needs and that is not there. */
function missingOf(program: string, args: readonly string[], there: (path: string) => boolean): string | undefined {
  if (program.includes('/')) return !isOfCode(program) || there(program) ? undefined : program
  const scripts = INTERPRETERS[program]
  if (scripts === undefined) return undefined
  for (const argument of args) {
    if (INLINE.has(argument)) return undefined
    // an option's value may follow it, so only what looks like a script counts as one
    if (argument.startsWith('-') || (argument.startsWith('/') && !argument.startsWith(CODE))) continue
    if (scripts.some((pattern) => pattern.test(argument))) return there(argument) ? undefined : argument
  }
  return undefined
}

/** A path, and not one of the machine. */
function isOfCode(program: string): boolean {
  return program.includes('/') && (!program.startsWith('/') || program.startsWith(CODE))
}

/** A run sees its code as /code; a path that leaves it by ".." is looked for inside. */
function placeOf(workdir: string, path: string): string {
  const inside = path.startsWith(CODE) ? path.slice(CODE.length) : join(workdir, path)
  return normalize(join('/', inside)).replace(/^\//, '').replace(/\/$/, '')
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
