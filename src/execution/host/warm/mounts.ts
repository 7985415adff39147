import { join, relative } from 'node:path'
import { inodesFor, SHM_BYTES, TMP_BYTES } from '../../constants.ts'
import type { WarmClass } from '../../types.ts'
import { ownFiles, packageRoot, type SandboxPaths } from '../sandbox-mounts.ts'
import { SANDBOX_ROOT, type SandboxMount } from '../sandbox-root.ts'

const at = (name: string) => join(SANDBOX_ROOT, name)
/** Binds are made here first, where no sandbox sees them: a bind of a bind has its flags from its first moment. */
const STAGING = { name: 'staging', bytes: 64 * 1024, inodes: 64 }

/** The root of the service's sandbox, where there is one before its code is known. */
export const SERVICE_ROOT = at('root')
const SERVICE_FOLDERS = ['', 'code', 'work', 'opt', 'opt/thundercloud']

export type IdleMountsInit = {
  /** its folder */
  readonly dir: string
  readonly node: string
  readonly entry: string
  readonly uid: number
  readonly warmClass: WarmClass | undefined
}

/** Where a warm sandbox has what its run needs; `code` and `log` when they are mounted. */
export function warmPaths({ entry }: Pick<IdleMountsInit, 'entry'>): SandboxPaths {
  return {
    sandboxRoot: SANDBOX_ROOT,
    ...{ run: at('run'), log: at('log'), node: at('node'), entry: join(at('app'), relative(packageRoot(), entry)) },
    ...{ code: at('code'), source: undefined, work: at('work'), tmp: at('tmp'), shm: at('shm'), shows: [] },
  }
}

/** What is mounted before there is a run. */
export function idleMounts({ dir, node, uid, warmClass }: IdleMountsInit): SandboxMount[] {
  const tmpfs = (name: string, bytes: number, mode: string): SandboxMount => {
    return { kind: 'tmpfs', to: at(name), mode, bytes, inodes: inodesFor(bytes), uid }
  }
  const folder = (to: string, owner = 0): SandboxMount => ({ kind: 'folder', to, uid: owner })
  const work = warmClass === undefined ? folder(at('work')) : tmpfs('work', warmClass.diskBytes, '0777')
  return [
    { ...STAGING, kind: 'tmpfs', to: at(STAGING.name), mode: '0700', uid: 0 },
    ...ownFiles(packageRoot()).map(({ from, name, file }) => ({ kind: 'bind' as const, from, to: at(name), file })),
    { kind: 'bind', from: dir, to: at('run'), write: true },
    { kind: 'bind', from: node, to: at('node'), file: true },
    ...[work, tmpfs('tmp', TMP_BYTES, '1777'), tmpfs('shm', SHM_BYTES, '1777')],
    ...[folder(at('log')), folder(at('code'))],
    // bubblewrap, which is the run's user, makes there what it mounts
    ...SERVICE_FOLDERS.map((name) => folder(join(SERVICE_ROOT, name), uid)),
  ]
}

/** What is mounted for a run, seen by the sandboxes that are there. `fresh`: the service gets a sandbox that is made from them. */
export function runMounts(
  { uid, warmClass }: Pick<IdleMountsInit, 'uid' | 'warmClass'>,
  { codeDir, logDir, diskBytes, fresh }: { codeDir: string; logDir: string; diskBytes: number; fresh: boolean },
): SandboxMount[] {
  const bind = (from: string, to: string, write: boolean): SandboxMount => ({ kind: 'bind', from, to, write })
  const staged = (from: string, name: string, to: string, write: boolean) => {
    const by = at(join(STAGING.name, name))
    return [bind(from, by, write), bind(by, to, write)]
  }
  const bounded = { bytes: diskBytes, inodes: inodesFor(diskBytes), uid }
  const work: SandboxMount = { kind: 'tmpfs', to: at('work'), mode: '0777', ...bounded }
  return [
    ...staged(logDir, 'log', at('log'), true),
    ...staged(codeDir, 'code', fresh ? at('code') : join(SERVICE_ROOT, 'code'), false),
    ...(warmClass === undefined ? [work] : []),
    ...(warmClass === undefined && !fresh ? [bind(at('work'), join(SERVICE_ROOT, 'work'), true)] : []),
  ]
}
