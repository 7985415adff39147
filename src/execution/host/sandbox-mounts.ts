import { existsSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { inodesFor, SHM_BYTES, TMP_BYTES } from '../constants.ts'
import type { Plan, ReadOnlyMount } from '../types.ts'
import type { RunFiles } from './run-files.ts'
import { type BoxMount, type FolderLimits, ROOT_BOX } from './stage.ts'

/** Where the shim, which is an ordinary user, finds the files of its run. */
export type BoxPaths = {
  /** where everything that is mounted is; undefined: nothing is */
  readonly box: string | undefined
  readonly run: string
  readonly log: string
  readonly node: string
  /** the shim's own program */
  readonly entry: string
  readonly code: string | undefined
  /** of a build: where its code comes from and goes back to */
  readonly source: string | undefined
  readonly work: string
  readonly tmp: string
  readonly shm: string
  readonly shows: readonly ReadOnlyMount[]
}

export type BoxInit = {
  readonly plan: Plan
  readonly files: RunFiles
  readonly node: string
  readonly entry: string
  readonly sandboxed: boolean
  /** the run's user, where the node is root; undefined: the node's own */
  readonly uid: number | undefined
}

const fileness = (path: string) => ({ file: statSync(path).isFile() })

/**
 * What is mounted for a run, and where it is seen. A root node's run is a user that cannot enter the node's folders: all
 * that it needs is shown in the box. Another node's run is the same user as the node, and gets what is bounded only.
 */
export function boxOf(init: BoxInit): { paths: BoxPaths; mounts: BoxMount[] } {
  const { plan, files, sandboxed, uid } = init
  const { grant, codeDir } = plan
  const box = uid !== undefined ? ROOT_BOX : sandboxed ? files.box : undefined
  const at = (name: string) => join(box ?? files.dir, name)
  const root = dirname(findPackageJSON(import.meta.url) as string)
  const bounded = box !== undefined
  const build = plan.purpose === 'build' && bounded
  const mounts: BoxMount[] = []
  /** Its path inside the sandbox if the node is root, its real path otherwise. */
  const show = (from: string, name: string, options: { file?: boolean; write?: boolean } = {}) => {
    if (uid === undefined) return from
    mounts.push({ kind: 'bind', from, to: at(name), ...options })
    return at(name)
  }
  const limits = (bytes: number): FolderLimits => ({
    bytes,
    inodes: inodesFor(bytes),
    uid: uid ?? process.getuid?.() ?? 0,
  })
  const memory = (name: string, bytes: number, mode: string) => {
    mounts.push({ kind: 'tmpfs', to: at(name), mode, ...limits(bytes) })
    return at(name)
  }
  const own = ['src', 'protocols', 'dist', 'package.json'].filter((name) => existsSync(join(root, name)))
  for (const name of own) show(join(root, name), `app/${name}`, fileness(join(root, name)))
  const entry = uid === undefined ? init.entry : join(at('app'), relative(root, init.entry))
  const paths = {
    box,
    run: show(files.dir, 'run', { write: true }),
    log: show(plan.logDir, 'log', { write: true }),
    node: show(init.node, 'node', { file: true }),
    entry,
    code: codeDir === undefined || build ? undefined : show(codeDir, 'code', { write: plan.purpose === 'build' }),
    source: codeDir === undefined || !build ? undefined : show(codeDir, 'source', { write: true }),
    shows: (plan.readOnlyMounts ?? []).map(({ path, as }, index) => ({
      path: show(path, `shown-${index}`, fileness(path)),
      as,
    })),
  }
  const machine = { tmp: '/tmp', shm: '/dev/shm' }
  if (!bounded) return { paths: { ...paths, work: join(paths.run, 'work'), ...machine }, mounts }
  const boxed = {
    work: memory('work', grant.diskBytes, '0777'),
    ...(sandboxed ? { tmp: memory('tmp', TMP_BYTES, '1777'), shm: memory('shm', SHM_BYTES, '1777') } : machine),
  }
  if (!build) return { paths: { ...paths, ...boxed }, mounts }
  const large = uid !== undefined && grant.diskBytes > grant.memoryBytes / 2
  if (large) mounts.push({ kind: 'disk', to: at('code'), image: files.image, mode: '0777', ...limits(grant.diskBytes) })
  else memory('code', grant.diskBytes, '0777')
  return { paths: { ...paths, ...boxed, code: at('code') }, mounts }
}
