import { createHash } from 'node:crypto'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan, ReadOnlyMount } from '../types.ts'
import type { DockerHandle } from './container-options.ts'

const PREFIX = 'thundercloud-'
const GATEWAY = '-gateway'
/** What earlier versions have called it. */
const EARLIER_GATEWAY = '-door'

/** What a run is called in an engine, and where its gateway's socket is. A path of a socket is short. */
export function dockerHandle(runtimeDir: string, runId: string): DockerHandle {
  const short = createHash('sha256').update(runId).digest('hex').slice(0, 14)
  const name = `${PREFIX}${runId}`
  return { name, gateway: `${name}${GATEWAY}`, socket: join(runtimeDir, short, 's') }
}

/** Which run a container is of by its name, or by that of its gateway, as an engine lists them. */
export function nameOfRun(names: readonly string[]): string | undefined {
  const name = names.find((one) => one.startsWith(`/${PREFIX}`))?.slice(PREFIX.length + 1)
  const suffix = [GATEWAY, EARLIER_GATEWAY].find((one) => name?.endsWith(one)) ?? ''
  return name?.slice(0, name.length - suffix.length)
}

/** The handle of a run as it was journalled, also by an earlier version. */
export function journalledHandle(handle: unknown): DockerHandle {
  const { name, socket } = handle as Omit<DockerHandle, 'gateway'>
  return { name, gateway: `${name}${GATEWAY}`, socket }
}

/** Of the gateway of an earlier version: its name now, and the one that it must get. */
export function earlierGateway(names: readonly string[]): { readonly from: string; readonly to: string } | undefined {
  const name = names.find((one) => one.startsWith(`/${PREFIX}`) && one.endsWith(EARLIER_GATEWAY))?.slice(1)
  return name === undefined ? undefined : { from: name, to: `${name.slice(0, -EARLIER_GATEWAY.length)}${GATEWAY}` }
}

/** What an engine that sees this machine's folders shows a run beside its code. An image has names of users of its own. */
export async function writeShownFiles(dir: string, { uid, image, files = {} }: Pick<Plan, 'uid' | 'image' | 'files'>) {
  const etcDir = uid === undefined || image !== undefined ? undefined : await writeEtc(dir, uid)
  return { etcDir, shown: await writeFiles(dir, files) }
}

/** Read-only files of a plan: where each lies on this machine, and where the run sees it. */
async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<ReadOnlyMount[]> {
  await mkdir(dir, { recursive: true })
  const mounts = Object.keys(files).map((as, index) => ({ path: join(dir, `file-${index}`), as }))
  for (const { path, as } of mounts) await writeFile(path, files[as] ?? '', { mode: 0o644 })
  return mounts
}

/** What programs look up to learn the name of their user. */
async function writeEtc(dir: string, uid: number): Promise<string> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'passwd'), `root:x:0:0::/:/bin/false\nservice:x:${uid}:${uid}::/work:/bin/sh\n`, {
    mode: 0o644,
  })
  await writeFile(join(dir, 'group'), `root:x:0:\nservice:x:${uid}:\n`, { mode: 0o644 })
  return dir
}

/** A container's user is `nobody`: the unpacked folder, created by mkdtemp perhaps, must be readable for it. */
export async function makeReadable(dir: string): Promise<void> {
  const { mode } = await stat(dir)
  if ((mode & 0o055) !== 0o055) await chmod(dir, mode | 0o055)
}
