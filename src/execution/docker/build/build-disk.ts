import { readdir, readFile, rm } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { ext4Bytes, inodesFor, NOBODY } from '../../constants.ts'
import { runDiskTool } from '../../disk-tools.ts'
import type { Plan } from '../../types.ts'

const BLOCKS = '/sys/block'

/** The file system that a build's code lies in, as the engine's own volume driver mounts it: the kernel holds its limits. */
export type BuildDisk = {
  readonly driver: Readonly<Record<'type' | 'device' | 'o', string>>
  /** The engine has mounted it, or never will. It goes when the engine unmounts it. */
  release(): Promise<void>
}

type BuildPlan = Pick<Plan, 'grant' | 'uid'> & { readonly codeDir: string }

export function memoryDisk({ grant, uid = NOBODY }: Omit<BuildPlan, 'codeDir'>, mode = '0777'): BuildDisk {
  const { diskBytes } = grant
  const limits = `size=${Math.max(4096, diskBytes)},nr_inodes=${inodesFor(diskBytes)}`
  const o = `nosuid,nodev,${limits},mode=${mode},uid=${uid},gid=${uid}`
  return { driver: { type: 'tmpfs', device: 'tmpfs', o }, release: async () => {} }
}

/**
 * An image on this machine's disk, for a build whose disk is larger than its memory lets it use. For an engine of this
 * machine, where the node is root. Undefined where this machine has no loop device, or not the tools.
 */
export async function imageDisk(
  clock: Clock,
  { grant, uid = NOBODY, codeDir }: BuildPlan,
): Promise<BuildDisk | undefined> {
  const image = `${codeDir}.disk`
  const run = (name: string, ...args: string[]) => runDiskTool(clock, name, ...args)
  // one that a node which was killed has left
  for (const device of await devicesOf(image)) await run('losetup', '-d', device).catch(() => {})
  let device: string | undefined
  try {
    await rm(image, { force: true })
    const bytes = ext4Bytes(grant.diskBytes)
    const features = ['-O', '^has_journal,^resize_inode', '-E', `root_owner=${uid}:${uid},lazy_itable_init=1`]
    const inodes = `${inodesFor(grant.diskBytes)}`
    await run('mkfs.ext4', '-q', '-F', '-N', inodes, '-m', '0', ...features, image, `${Math.ceil(bytes / 1024)}k`)
    await run('debugfs', '-w', '-R', 'rmdir lost+found', image)
    device = await run('losetup', '--find', '--show', image)
  } catch {
    return undefined
  } finally {
    // the device holds it
    await rm(image, { force: true })
  }
  const held = device
  const release = () =>
    run('losetup', '-d', held).then(
      () => {},
      () => {},
    )
  return { driver: { type: 'ext4', device: held, o: 'nosuid,nodev' }, release }
}

async function devicesOf(image: string): Promise<string[]> {
  const names = (await readdir(BLOCKS).catch(() => [])).filter((name) => name.startsWith('loop'))
  const files = names.map(async (name) => {
    const file = await readFile(`${BLOCKS}/${name}/loop/backing_file`, 'utf8').catch(() => '')
    return file.startsWith(image) ? [`/dev/${name}`] : []
  })
  return (await Promise.all(files)).flat()
}
