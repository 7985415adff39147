import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { SANDBOX_TOOLS } from './bubblewrap.ts'
import { INSTALL_BUBBLEWRAP } from './permission.ts'

const PROBE_TIMEOUT_MS = 10_000

/** The program's whole path, or why there is no sandbox. */
export type Sandbox = { readonly bwrap: string } | { readonly lack: string }

/** Tries the very boxes that runs are put into, one in the other. */
export async function probeSandbox(program: string, signal?: AbortSignal): Promise<Sandbox> {
  if (process.platform !== 'linux') return { lack: 'the sandbox needs Linux' }
  const bwrap = await findProgram(program)
  if (bwrap === undefined) return { lack: `${program} is not installed: ${INSTALL_BUBBLEWRAP}` }
  for (const tool of SANDBOX_TOOLS) {
    if (!(await executable(tool))) return { lack: `${tool} is missing: install util-linux` }
  }
  const user = process.getuid?.() === 0 ? [] : ['--unshare-user']
  const outer = [
    ...user,
    '--unshare-net',
    '--unshare-pid',
    '--as-pid-1',
    '--dev-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--',
  ]
  const inner = [...user, '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', '--', '/bin/sh', '-c', 'exit 0']
  const { failed, complaint } = await run(bwrap, [...outer, bwrap, ...inner], signal)
  if (!failed) return { bwrap }
  return {
    lack: `bubblewrap can not make a sandbox here (${complaint}): allow user namespaces, or run the node as root`,
  }
}

async function findProgram(program: string): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)
  const candidates = isAbsolute(program) ? [program] : [...folders, '/usr/bin', '/bin'].map((dir) => join(dir, program))
  for (const path of candidates) if (await executable(path)) return path
  return undefined
}

function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

function run(program: string, args: string[], signal?: AbortSignal): Promise<{ failed: boolean; complaint: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PROBE_TIMEOUT_MS, env: {}, signal }, (error, _stdout, stderr) => {
      resolve({
        failed: error !== null,
        complaint: stderr.trim().split('\n')[0]?.slice(0, 200) || (error?.message ?? ''),
      })
    })
  })
}
