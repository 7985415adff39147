import { mkdir } from 'node:fs/promises'
import { systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { findProgram, runProcess } from '../../process/index.ts'
import { SANDBOX_TOOLS } from './bubblewrap.ts'
import { INSTALL_BUBBLEWRAP } from './permission-model.ts'
import { SANDBOX_ROOT, SANDBOX_ROOT_TOOLS, sandboxRootCommand } from './sandbox-root.ts'

const PROBE_TIMEOUT_MS = 10_000

/** The program's absolute path, or why there is no sandbox. */
export type Sandbox = { readonly bwrap: string } | { readonly unavailableReason: string }

/** Tries the very sandboxes that runs are put into, one in the other. */
export async function probeSandbox(program: string, uid: number | undefined, signal?: AbortSignal): Promise<Sandbox> {
  if (process.platform !== 'linux') return { unavailableReason: 'the sandbox needs Linux' }
  const bwrap = findProgram(program)
  if (bwrap === undefined) return { unavailableReason: `${program} is not installed: ${INSTALL_BUBBLEWRAP}` }
  const missing = missingTool()
  if (missing !== undefined) return { unavailableReason: missing }
  if (uid !== undefined) await mkdir(SANDBOX_ROOT, { recursive: true, mode: 0o755 })
  const { program: first, args } = tryCommand(bwrap, uid)
  const { failed, problem } = await run(first, args, signal)
  if (!failed) return { bwrap }
  return {
    unavailableReason: `bubblewrap cannot make a sandbox here (${problem}): allow user namespaces to ordinary users`,
  }
}

/** What a sandbox cannot be made without, and what to install for it. */
export function missingTool(find: (name: string) => string | undefined = findProgram): string | undefined {
  for (const [name, tools] of [...Object.entries(SANDBOX_TOOLS), ...Object.entries(SANDBOX_ROOT_TOOLS)]) {
    const tool = tools.find((one) => find(one) === undefined)
    if (tool !== undefined) return `${tool} is missing: install ${name}`
  }
  return undefined
}

async function run(
  program: string,
  args: string[],
  signal?: AbortSignal,
): Promise<{ failed: boolean; problem: string }> {
  try {
    const spec = { kind: 'probe', program, args } as const
    const { exitCode, stderr } = await runProcess(systemClock(), spec, { timeoutMs: PROBE_TIMEOUT_MS, signal })
    const problem = stderr.trim().split('\n')[0]?.slice(0, 200) || `it ended with exit code ${exitCode}`
    return { failed: exitCode !== 0, problem }
  } catch (error) {
    return { failed: true, problem: messageOf(error) }
  }
}

/** What shows whether sandboxes can be made here: the same ones, around a command that does nothing. */
function tryCommand(bwrap: string, uid: number | undefined): { program: string; args: string[] } {
  const root = uid === undefined ? '/tmp' : SANDBOX_ROOT
  const inner = [
    '--unshare-user',
    '--unshare-pid',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--',
    '/bin/sh',
    '-c',
    'exit 0',
  ]
  const outer = [
    '--unshare-user',
    '--unshare-net',
    '--unshare-pid',
    '--as-pid-1',
    '--dev-bind',
    '/',
    '/',
    '--proc',
    '/proc',
  ]
  return sandboxRootCommand({ root, mounts: [], table: '', join: [], uid }, [bwrap, ...outer, '--', bwrap, ...inner])
}
