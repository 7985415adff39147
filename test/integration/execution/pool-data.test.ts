import { execFileSync } from 'node:child_process'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PoolExecutor } from '../../../src/execution/index.ts'
import { createPoolData } from '../../../src/execution/pool/data.ts'
import { poolKey } from '../../../src/execution/pool/names.ts'
import { poolExecutor } from '../../fixtures/execution/executors.ts'
import { runDirs } from '../../fixtures/execution/run-dirs.ts'
import { linesOf, MIB, planFor, runToEnd, until } from '../../fixtures/execution/run-fixture.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

const OWNER = 'WoD3FV8ByzerAUUCZ5rF58aTLpz5kTNxHnyBS5vzuqeq'
const NAME = `data${process.pid}-${OWNER}-node.js`
const SPEC = { name: NAME, image: 'thundercloud/node', memoryBytes: 512 * MIB, cpuMillicores: 2000, pids: 256 }
const SIZE = 24 * MIB
const ROWS = `const db = new (require('node:sqlite').DatabaseSync)(process.env.THUNDERCLOUD_DATA + '/rows')
db.exec('PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS rows (word TEXT)')
const words = () => db.prepare('SELECT word FROM rows ORDER BY rowid').all().map(({ word }) => word).join(' ')
`
const WAIT = `;console.log('ready'); setInterval(() => {}, 1000)`

describe.skipIf(!needs('engine'))('the data of a pool', () => {
  const dirs = runDirs()
  let executor: PoolExecutor
  const plan = (script: string, name: string | undefined = 'db') =>
    planFor(executor, dirs, script, { author: OWNER, grant: { pool: NAME }, name })
  const outputOf = async (script: string, name?: string) => {
    const { out, err, end } = await runToEnd(executor, await plan(script, name))
    return [...out, ...err, ...(end.exitCode === 0 ? [] : [`exit ${end.exitCode}`])].join('\n')
  }
  const ready = (logDir: string) => until(async () => (await linesOf(logDir)).out.includes('ready'))
  const at = () => join(dirs.base, 'pools', 'data', poolKey(NAME))
  const mounts = () => execFileSync('findmnt', ['-rno', 'TARGET'], { encoding: 'utf8' }).split('\n')

  beforeAll(async () => {
    executor = poolExecutor(dirs)
    await executor.pools.create({ ...SPEC, dataBytes: SIZE })
  }, 180_000)
  afterAll(async () => {
    await executor.pools.remove(NAME, { force: true }).catch(() => {})
    await executor.pools.removeData(NAME).catch(() => {})
    await executor[Symbol.asyncDispose]()
  })

  it('keeps what is committed when its run is killed, and when its pool is made again', async () => {
    const first = await plan(`${ROWS}db.exec("INSERT INTO rows VALUES ('first')")${WAIT}`)
    const run = await executor.start(first)
    await ready(first.logDir)
    await executor.remove(run.handle)
    expect(await outputOf(`${ROWS}db.exec("INSERT INTO rows VALUES ('second')"); console.log(words())`)).toBe(
      'first second',
    )
    await executor.pools.remove(NAME)
    expect(mounts()).not.toContain(join(at(), 'mount'))
    await expect(executor.pools.create({ ...SPEC, dataBytes: 2 * SIZE })).rejects.toThrow(/has left data of 24 MiB/)
    await executor.pools.create({ ...SPEC, dataBytes: SIZE })
    expect(await outputOf(`${ROWS}console.log(words())`)).toBe('first second')
  })

  it('is of one run at a time', async () => {
    const first = await plan(`require('node:fs').writeFileSync('/data/open', '')${WAIT}`)
    const run = await executor.start(first)
    try {
      await ready(first.logDir)
      expect(await executor.isExclusive?.(first)).toBe(true)
      await expect(executor.start(await plan('0'))).rejects.toThrow(/another run of db has its data/)
      await expect(executor.pools.removeData(NAME, { service: 'db' })).rejects.toThrow(/db runs in the pool/)
      await expect(executor.pools.remove(NAME)).rejects.toThrow(/1 service runs/)
    } finally {
      await executor.remove(run.handle)
    }
  })

  it('is closed to other services, and to what is not one', async () => {
    const look = `const { readdirSync, readFileSync, statSync } = require('node:fs')
    for (const path of ['/thundercloud/data', '/thundercloud/data/db', '/data/../thundercloud/data/db'])
      try { console.log(path, readdirSync(path).join()) } catch (error) { console.log(path, error.code) }
    console.log(statSync('/data').uid === process.getuid(), readdirSync('/data').join())`
    expect((await outputOf(look, 'other')).split('\n')).toEqual([
      '/thundercloud/data ',
      '/thundercloud/data/db ENOENT',
      '/data/../thundercloud/data/db ENOENT',
      'true ',
    ])
    const task = `const { writeFileSync } = require('node:fs')
    try { writeFileSync('/data/x', '') } catch (error) { console.log(error.code, process.env.THUNDERCLOUD_DATA) }`
    const { grant, ...rest } = await plan(task)
    const { out } = await runToEnd(executor, { ...rest, grant, name: undefined })
    expect(out).toEqual(['EROFS undefined'])
  })

  it('ends at its size, in bytes and in files, and not at what the disk around it has', async () => {
    const { size, blocks } = await stat(join(at(), 'image'))
    expect(size).toBe(SIZE)
    expect(blocks * 512).toBeGreaterThanOrEqual(SIZE)
    const fill = `const { closeSync, openSync, writeSync, writeFileSync } = require('node:fs'), file = openSync('/data/fill', 'w')
    try { for (;;) writeSync(file, Buffer.alloc(2 ** 20)) } catch (error) { console.log(error.code) }
    closeSync(file); writeFileSync('/data/fill', '')
    try { for (let n = 0; n < 20000; n++) writeFileSync('/data/' + n, '') } catch (error) { console.log(error.code) }`
    expect(await outputOf(fill, 'full')).toBe('ENOSPC\nENOSPC')
    await expect(executor.start(await plan('0', 'no-room'))).rejects.toThrow(/is full: there is no room/)
    const [data] = await executor.pools.listData()
    expect(data).toMatchObject({ pool: NAME, bytes: SIZE, services: ['db', 'full', 'other'] })
    await executor.pools.removeData(NAME, { service: 'full' })
    expect(await outputOf(`${ROWS}console.log(words())`)).toBe('first second')
  })

  it('says what is missing where it cannot be made or mounted, and leaves nothing', async () => {
    const base = join(dirs.base, 'elsewhere')
    // a disk of its own: what does not fit must fill no other
    await mkdir(base)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', base])
    onTestFinished(() => void execFileSync('umount', ['--lazy', base]))
    const data = createPoolData(system, base)
    await expect(data.make(NAME, 64 * MIB)).rejects.toThrow(/is 64 MiB; the disk of .* has 40 MiB free/)
    const image = join(base, poolKey(NAME), 'image')
    await expect(data.make(NAME, 2 ** 20)).rejects.toThrow(/at least 16 MiB are needed/)
    await expect(data.mount(NAME)).rejects.toThrow(/is gone from/)
    expect(await readdir(base)).toEqual([])
    await data.make(NAME, 16 * MIB)
    await writeFile(`${image}.new`, 'of a killed node')
    await writeFile(image, Buffer.alloc(16 * MIB))
    await expect(data.mount(NAME)).rejects.toThrow(/cannot be mounted here: mount: .*root and a loop device/s)
    expect(execFileSync('losetup', ['-j', image], { encoding: 'utf8' })).toBe('')
    await data.sweep(() => false)
    expect(await readdir(dirname(image))).toEqual(['image', 'mount', 'name'])
  })

  it('is mounted again where that is gone, and swept where its pool is', async () => {
    const first = await plan(`${ROWS}${WAIT}`)
    const run = await executor.start(first)
    await ready(first.logDir)
    // as another mount namespace has it: the container holds the device
    execFileSync('umount', [join(at(), 'mount')])
    await executor.remove(run.handle)
    expect(await outputOf(`${ROWS}console.log(words())`)).toBe('first second')
    const devices = execFileSync('losetup', ['-j', join(at(), 'image')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(devices).toHaveLength(1)

    const found = execFileSync('docker', ['ps', '-aq', '--filter', `label=thundercloud.pool=${NAME}`])
      .toString()
      .trim()
    execFileSync('docker', ['rm', '-f', found])
    await executor.adopt()
    expect(mounts()).not.toContain(join(at(), 'mount'))
    expect(await executor.pools.listData()).toMatchObject([{ pool: NAME, services: ['db', 'other'] }])
    expect(mounts()).not.toContain(join(at(), 'mount'))
    await executor.pools.removeData(NAME)
    expect(await executor.pools.listData()).toEqual([])
    await expect(executor.pools.removeData(NAME)).rejects.toThrow(/no pool has left data/)
  })
})
