import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { errnoOf, InputError, messageOf, NotFoundError, UnavailableError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import type { Rng } from '../../base/rng.ts'
import { runDiskTool } from '../disk-tools.ts'
import { poolKey } from './names.ts'
import type { PoolDataView } from './types.ts'

/** Below it ext4 has no room for a journal. */
const MIN_DATA_BYTES = 16 * 2 ** 20
/** One file for so many bytes: a database has few files, and each takes 256 bytes. */
const BYTES_PER_FILE = 16_384
/**
 * The users of folders. Not those of runs, which are given again; systemd's table of user ids leaves them unused. At random:
 * an author who chose one could take another's, with whom he would share the kernel's counts of a user.
 */
const DATA_UIDS = { first: 1_900_000_000, count: 200_000_000 }
const KEY = /^[0-9a-f]{16}$/

/**
 * What pools keep on the disk: for each an ext4 image of a fixed size, and in it a folder for each service of its author, by
 * name. A pool belongs to one author, so what fills one image is his alone.
 */
export interface PoolData {
  /** Makes the image, or takes the one that an earlier pool of this name has left. Answers whether it made it. */
  make(pool: string, bytes: number): Promise<boolean>
  /** Where it is mounted on this machine, from now on. Throws an UnavailableError where there is no image, or no loop device. */
  mount(pool: string): Promise<string>
  unmount(pool: string): Promise<void>
  /** The folder of a service, made if need be. Answers the user that owns it, always the same. */
  folder(pool: string, service: string): Promise<number>
  list(): Promise<PoolDataView[]>
  /** All of a pool, or what one service has there. Throws a NotFoundError where there is nothing. */
  remove(pool: string, service?: string): Promise<void>
  /** Removes what a killed node has left: an image that is not whole, and mounts of pools that are no more. */
  sweep(isPool: (pool: string) => boolean): Promise<void>
}

type Components = { readonly clock: Clock; readonly rng: Rng }

/** `dir`: a folder for each pool, with its `image`, its `mount` and its `name`. */
export function createPoolData({ clock, rng }: Components, dir: string): PoolData {
  const run = (name: string, ...args: string[]) => runDiskTool(clock, name, ...args)
  const dirOf = (pool: string) => join(dir, poolKey(pool))
  const imageOf = (pool: string) => join(dirOf(pool), 'image')
  const mountOf = (pool: string) => join(dirOf(pool), 'mount')
  let last: Promise<unknown> = Promise.resolve()

  /** One change at a time: what is not mounted could be mounted twice. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const next = last.then(change, change)
    last = next.catch(() => {})
    return next
  }

  async function sizeOf(pool: string): Promise<number | undefined> {
    return (await stat(imageOf(pool)).catch(() => undefined))?.size
  }

  async function isMounted(pool: string): Promise<boolean> {
    const [inside, outside] = await Promise.all([mountOf(pool), dirOf(pool)].map((path) => stat(path).catch(() => {})))
    return inside !== undefined && inside.dev !== outside?.dev
  }

  async function make(pool: string, bytes: number): Promise<boolean> {
    const found = await sizeOf(pool)
    if (found === bytes) return false
    if (found !== undefined)
      throw new InputError(
        `an earlier pool of this name has left data of ${formatBytes(found)}, and --data is ${formatBytes(bytes)}: give the same size, or remove it with "thundercloud pool erase ${pool}"`,
      )
    if (bytes < MIN_DATA_BYTES)
      throw new InputError(
        `the pool's data (--data) is ${formatBytes(bytes)}; at least ${formatBytes(MIN_DATA_BYTES)} are needed`,
      )
    await mkdir(dir, { recursive: true, mode: 0o700 })
    // before anything is written: an image that does not fit would first take the space of all others
    const { bavail, bsize } = await statfs(dir)
    if (bytes > bavail * bsize)
      throw new InputError(
        `the pool's data (--data) is ${formatBytes(bytes)}; the disk of ${dir} has ${formatBytes(bavail * bsize)} free`,
      )
    await mkdir(mountOf(pool), { recursive: true, mode: 0o700 })
    await writeFile(join(dirOf(pool), 'name'), pool)
    const draft = `${imageOf(pool)}.new`
    try {
      // not lazily: what the kernel zeroes afterwards would be holes in the image
      const options = ['-m', '0', '-i', `${BYTES_PER_FILE}`, '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0']
      await rm(draft, { force: true })
      await run('mkfs.ext4', '-q', '-F', ...options, draft, `${Math.floor(bytes / 1024)}k`)
      // all blocks are taken now: a file system in a sparse file breaks when the disk around it is full
      await run('fallocate', '--length', `${bytes}`, draft)
      await rename(draft, imageOf(pool))
    } catch (error) {
      await rm(dirOf(pool), { recursive: true, force: true })
      throw new InputError(
        `this machine cannot make the pool's data (--data): ${messageOf(error)}. It needs util-linux, e2fsprogs and free space`,
      )
    }
    return true
  }

  async function mount(pool: string): Promise<string> {
    const at = mountOf(pool)
    if ((await sizeOf(pool)) === undefined)
      throw new UnavailableError(
        `the data of the pool ${pool} is gone from ${dirOf(pool)}: put it back, or remove the pool and make it again`,
      )
    if (await isMounted(pool)) return at
    await mkdir(at, { recursive: true, mode: 0o700 })
    let device = ''
    try {
      // A container may have it still: a second device for one image would destroy what is in it.
      ;[device = ''] = (await run('losetup', '-j', imageOf(pool), '--noheadings', '--output', 'NAME')).split('\n')
      if (device === '') device = await run('losetup', '--find', '--show', imageOf(pool))
      await run('mount', '-t', 'ext4', '-o', 'nosuid,nodev,noatime', device.trim(), at)
      await chmod(at, 0o711)
    } catch (error) {
      throw new UnavailableError(
        `the data of a pool cannot be mounted here: ${messageOf(error)}. It needs root and a loop device ("modprobe loop")`,
      )
    } finally {
      // it goes with the last mount
      if (device !== '') await run('losetup', '-d', device.trim()).catch(() => {})
    }
    return at
  }

  async function unmount(pool: string): Promise<void> {
    if (await isMounted(pool)) await run('umount', '--lazy', mountOf(pool))
  }

  async function folder(pool: string, service: string): Promise<number> {
    const path = join(await mount(pool), service)
    try {
      await mkdir(path, { mode: 0o700 }).catch((error) => {
        if (errnoOf(error) !== 'EEXIST') throw error
      })
      const { uid } = await lstat(path)
      if (uid !== 0) return uid
      const given = DATA_UIDS.first + rng.int(DATA_UIDS.count)
      await chown(path, given, given)
      return given
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error
      throw new UnavailableError(`the data of the pool ${pool} is full: there is no room for a folder of ${service}`)
    }
  }

  async function servicesIn(pool: string): Promise<string[]> {
    return (await readdir(mountOf(pool))).filter((name) => name !== 'lost+found').sort()
  }

  async function names(): Promise<string[]> {
    const keys = (await readdir(dir).catch(() => [])).filter((key) => KEY.test(key))
    return Promise.all(keys.map((key) => readFile(join(dir, key, 'name'), 'utf8').catch(() => '')))
  }

  /** Of a pool that is no more, too: then it is mounted for a moment. */
  async function whileMounted<T>(pool: string, use: () => Promise<T>): Promise<T> {
    const before = await isMounted(pool)
    await mount(pool)
    try {
      return await use()
    } finally {
      if (!before) await unmount(pool)
    }
  }

  async function viewOf(pool: string): Promise<PoolDataView[]> {
    const bytes = await sizeOf(pool)
    if (bytes === undefined) return []
    return whileMounted(pool, async () => {
      const { blocks, bfree, bsize } = await statfs(mountOf(pool))
      return [{ pool, bytes, usedBytes: (blocks - bfree) * bsize, services: await servicesIn(pool) }]
    })
  }

  async function remove(pool: string, service: string | undefined): Promise<void> {
    if ((await sizeOf(pool)) === undefined)
      throw new NotFoundError(`no pool has left data under the name ${JSON.stringify(pool.slice(0, 200))}`)
    if (service === undefined) {
      await unmount(pool)
      return rm(dirOf(pool), { recursive: true, force: true })
    }
    await whileMounted(pool, async () => {
      if (!(await servicesIn(pool)).includes(service))
        throw new NotFoundError(`no service ${JSON.stringify(service.slice(0, 200))} has data in the pool`)
      await rm(join(mountOf(pool), service), { recursive: true, force: true })
    })
  }

  async function sweep(isPool: (pool: string) => boolean): Promise<void> {
    for (const pool of await names()) {
      await rm(`${imageOf(pool)}.new`, { force: true })
      if (isPool(pool)) continue
      await unmount(pool)
      if ((await sizeOf(pool)) === undefined) await rm(dirOf(pool), { recursive: true, force: true })
    }
  }

  return {
    make: (pool, bytes) => inTurn(() => make(pool, bytes)),
    mount: (pool) => inTurn(() => mount(pool)),
    unmount: (pool) => inTurn(() => unmount(pool)),
    folder: (pool, service) => inTurn(() => folder(pool, service)),
    list: () => inTurn(async () => (await Promise.all((await names()).sort().map(viewOf))).flat()),
    remove: (pool, service) => inTurn(() => remove(pool, service)),
    sweep: (isPool) => inTurn(() => sweep(isPool)),
  }
}
