import { statSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes } from '../../base/format.ts'
import type { Plan, WarmClass } from '../types.ts'
import type { WarmProgram } from './types.ts'

/**
 * Variables that Node.js, its libraries or the C library read as they start, and those by which the command is found: a
 * Node.js that is there already has read others.
 */
const EARLY_VARIABLES = [
  /^(?:NODE|LD|UV|OPENSSL|SSL|ICU|LC|MALLOC|GLIBC|NSS|RES)_/,
  /^(?:PATH|TZ|TZDIR|LANG|LANGUAGE|LOCPATH|GCONV_PATH|LOCALDOMAIN|HOSTALIASES)$/,
]
/** Words that Node.js takes for a command of its own. */
const NODE_COMMANDS = ['inspect', 'debug']

/** What makes a sandbox and waits in it counts as the run's: about 1 MiB, and no limit can be set below what is in use. */
const WAITING_BYTES = 8 * 2 ** 20

export type WarmProgramAnswer = { readonly program: WarmProgram } | { readonly coldReason: string }

/** What a plan's program gets in a Node.js that is there already, or why it needs one of its own. */
export function warmProgramOf(plan: Plan): WarmProgramAnswer {
  const [node, file = '', ...args] = plan.command
  if (node !== 'node' || file === '' || file.startsWith('-') || NODE_COMMANDS.includes(file))
    return { coldReason: 'its command is not "node FILE" without options' }
  const early = Object.keys(plan.env).find((name) => EARLY_VARIABLES.some((pattern) => pattern.test(name)))
  if (early !== undefined) return { coldReason: `its environment sets ${early}, which counts when Node.js starts` }
  if (plan.check !== undefined) return { coldReason: 'it has a check by a command (run.check.command)' }
  if (!isFolder(join(plan.codeDir ?? '', plan.workdir))) return { coldReason: 'its run.workdir is no folder' }
  return { program: { args: [file, ...args], env: plan.env, cwd: join('/code', plan.workdir) } }
}

/** Why a plan can have no warm sandbox of the host; undefined where it can. */
export function neverWarm(plan: Plan): string | undefined {
  if (plan.purpose !== 'run') return 'it is a build'
  if (plan.readOnlyMounts !== undefined || plan.files !== undefined) return 'it sees files of this machine'
  return plan.grant.memoryBytes < WAITING_BYTES ? 'its memory is less than what waits in a sandbox may take' : undefined
}

export function isOfClass({ grant }: Plan, { memoryBytes, diskBytes, pids }: WarmClass): boolean {
  return grant.memoryBytes === memoryBytes && grant.diskBytes === diskBytes && grant.pids === pids
}

/** As the operator writes it. */
export function classText({ memoryBytes, diskBytes, pids }: WarmClass): string {
  return `memory ${formatBytes(memoryBytes)}, disk ${formatBytes(diskBytes)}, pids ${pids}`
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
