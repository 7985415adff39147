import { existsSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { inodesFor, SHM_BYTES, TMP_BYTES } from '../constants.ts'
import type { Plan, ReadOnlyMount } from '../types.ts'
import type { RunFiles } from './run-files.ts'
import { type FolderLimits, SANDBOX_ROOT, type SandboxMount } from './sandbox-root.ts'

/** Where the shim, which is an ordinary user, finds the files of its run. */
export type SandboxPaths = {
  /** where everything that is mounted is; undefined: nothing is */
  readonly sandboxRoot: string | undefined
  readonly run: string
  readonly log: string
  readonly node: string
  /** the shim's own program */
  readonly entry: string
  readonly code: string | undefined
  /** of a build: where its code comes from and goes back to */
  readonly source: string | undefined
  /** of a build: the file system that all that it writes lies in */
  readonly disk?: string | undefined
  readonly work: string
  readonly tmp: string
  readonly shm: string
  readonly shows: readonly ReadOnlyMount[]
}

export type SandboxMountsInit = {
  readonly plan: Plan
  readonly files: RunFiles
  readonly node: string
  readonly entry: string
  readonly sandboxed: boolean
  /** the run's user, where the node is root; undefined: the node's own */
  readonly uid: number | undefined
}

export function packageRoot(): string {
  return dirname(findPackageJSON(import.meta.url) as string)
}

const isFile = (path: string) => statSync(path).isFile()

/** The program of the shim, with what it imports: `name` is where in a sandbox. */
export function ownFiles(root: string): { from: string; name: string; file: boolean }[] {
  const names = ['src', 'protocols', 'dist', 'package.json'].filter((name) => existsSync(join(root, name)))
  return names.map((name) => ({ from: join(root, name), name: `app/${name}`, file: isFile(join(root, name)) }))
}

/**
 * What is mounted for a run, and where it is seen. A root node's run is a user that cannot enter the node's folders: all
 * that it needs is shown in the sandbox. Another node's run is the same user as the node, and gets what is bounded only.
 */
export function sandboxMounts(init: SandboxMountsInit): { paths: SandboxPaths; mounts: SandboxMount[] } {
  const { plan, files, sandboxed, uid } = init
  const { grant, codeDir } = plan
  const sandboxRoot = uid !== undefined ? SANDBOX_ROOT : sandboxed ? files.sandboxRoot : undefined
  const at = (name: string) => join(sandboxRoot ?? files.dir, name)
  const root = packageRoot()
  const bounded = sandboxRoot !== undefined
  const build = plan.purpose === 'build' && bounded
  const mounts: SandboxMount[] = []
  /** Its path inside the sandbox if the node is root, its real path otherwise. */
  const bind = (from: string, name: string, options: { file?: boolean; write?: boolean } = {}) => {
    if (uid === undefined) return from
    mounts.push({ kind: 'bind', from, to: at(name), ...options })
    return at(name)
  }
  const limits = (bytes: number): FolderLimits => ({
    bytes,
    inodes: inodesFor(bytes),
    uid: uid ?? process.getuid?.() ?? 0,
  })
  const tmpfs = (name: string, bytes: number, mode: string) => {
    mounts.push({ kind: 'tmpfs', to: at(name), mode, ...limits(bytes) })
    return at(name)
  }
  for (const { from, name, file } of ownFiles(root)) bind(from, name, { file })
  const entry = uid === undefined ? init.entry : join(at('app'), relative(root, init.entry))
  const paths = {
    sandboxRoot,
    run: bind(files.dir, 'run', { write: true }),
    log: bind(plan.logDir, 'log', { write: true }),
    node: bind(init.node, 'node', { file: true }),
    entry,
    code: codeDir === undefined || build ? undefined : bind(codeDir, 'code', { write: plan.purpose === 'build' }),
    source: codeDir === undefined || !build ? undefined : bind(codeDir, 'source', { write: true }),
    shows: (plan.readOnlyMounts ?? []).map(({ path, as }, index) => ({
      path: bind(path, `shown-${index}`, { file: isFile(path) }),
      as,
    })),
  }
  const machine = { tmp: '/tmp', shm: '/dev/shm' }
  if (!bounded) return { paths: { ...paths, work: join(paths.run, 'work'), ...machine }, mounts }
  const shm = sandboxed ? tmpfs('shm', SHM_BYTES, '1777') : machine.shm
  if (!build) {
    const work = tmpfs('work', grant.diskBytes, '0777')
    return { paths: { ...paths, work, shm, tmp: sandboxed ? tmpfs('tmp', TMP_BYTES, '1777') : machine.tmp }, mounts }
  }
  const disk = at('build')
  const large = uid !== undefined && grant.diskBytes > grant.memoryBytes / 2
  if (large) mounts.push({ kind: 'disk', to: disk, image: files.image, mode: '0777', ...limits(grant.diskBytes) })
  else tmpfs('build', grant.diskBytes, '0777')
  const [code, work, tmp] = [join(disk, 'code'), join(disk, 'work'), sandboxed ? join(disk, 'tmp') : machine.tmp]
  return { paths: { ...paths, disk, code, work, tmp, shm }, mounts }
}
