import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadOnlyMount } from '../types.ts'

/** Read-only files of a plan: where each lies on this machine, and where the run sees it. */
export async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<ReadOnlyMount[]> {
  const mounts = Object.keys(files).map((as, index) => ({ path: join(dir, `file-${index}`), as }))
  for (const { path, as } of mounts) await writeFile(path, files[as] ?? '', { mode: 0o644 })
  return mounts
}

/** What programs look up to learn the name of their user. */
export async function writeEtc(dir: string, uid: number): Promise<string> {
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
