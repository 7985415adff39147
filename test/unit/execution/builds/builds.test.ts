import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { EngineGoneError } from '../../../../src/execution/index.ts'
import { formatLine } from '../../../../src/execution/logs/format.ts'
import { type BuildsBench, createBuildsBench } from '../../../fixtures/execution/builds-harness.ts'
import { networkUnder } from '../../../fixtures/execution/networks.ts'
import { linesOf, MIB, until } from '../../../fixtures/execution/run-fixture.ts'

let bench: BuildsBench
beforeEach(async () => {
  bench = await createBuildsBench()
  return () => bench[Symbol.asyncDispose]()
})

type Change = Parameters<BuildsBench['request']>[1]

describe('the output of a build', () => {
  it('serves a second service of another author that builds the same', async () => {
    const builds = bench.open()
    const env = { A: '1', B: '2' }
    const first = await builds.obtain(bench.request('a', { plan: { env } }))
    const second = await builds.obtain(bench.request('b', { plan: { env: { B: '2', A: '1' }, author: 'another' } }))
    expect([first.origin, second.origin, second.dir === first.dir]).toEqual(['built', 'cached', true])
    expect(bench.built).toEqual(['a-build'])
  })

  const CHANGES: [string, Change][] = [
    ['code', { code: 'other code' }],
    ['toolchain', { plan: { toolchain: ['python'] } }],
    ['command', { plan: { command: ['make', 'all'] } }],
    ['workdir', { plan: { workdir: 'below' } }],
    ['environment', { plan: { env: { A: '2' } } }],
    ['variable more', { plan: { env: { A: '1', B: '' } } }],
    ['REGISTRIES', { plan: { author: 'own' } }],
    ...(['memoryBytes', 'cpuMillicores', 'diskBytes', 'pids'] as const).map((limit): [string, Change] => [
      limit,
      { plan: { grant: { ...grant(), [limit]: grant()[limit] - 1 } } },
    ]),
  ]

  function grant() {
    return {
      executor: 'host',
      memoryBytes: 192 * MIB,
      cpuMillicores: 1000,
      diskBytes: 32 * MIB,
      pids: 64,
      network: { mode: 'none' },
    } as const
  }

  it.each(CHANGES)('does not serve another %s', async (_what, change) => {
    const builds = bench.open({
      network: networkUnder({ REGISTRIES: { RUST: [{ URL: 'https://mirror', OWN_ONLY: true }] } }),
    })
    await builds.obtain(bench.request('a'))
    const other = await builds.obtain(bench.request('b', change))
    expect([other.origin, await bench.made(other)]).toEqual(['built', 2])
  })

  it('does not serve another builder, and is not kept where that changed meanwhile', async () => {
    const builds = bench.open()
    await builds.obtain(bench.request('a'))
    bench.engine.builder = 'memory 2'
    bench.writes = async () => {
      bench.engine.builder = 'memory 3'
    }
    await expect(builds.obtain(bench.request('b'))).rejects.toThrow('what builds it was replaced meanwhile')
    bench.engine.builder = 'memory 2'
    bench.writes = async () => {}
    expect(await builds.obtain(bench.request('b'))).toMatchObject({ origin: 'built' })
    expect(bench.built).toHaveLength(3)
  })

  it('is read-only for everyone, without what is no file, and its source stays as it was', async () => {
    bench.writes = async (dir) => {
      await mkdir(join(dir, 'bin'), { mode: 0o700 })
      await writeFile(join(dir, 'bin', 'run'), '#!/bin/sh', { mode: 0o6700 })
      await writeFile(join(dir, 'secret'), 'x', { mode: 0o600 })
      await symlink('bin/run', join(dir, 'link'))
      await writeFile(join(dir, 'main.js'), 'built')
    }
    const { dir } = await bench.open().obtain(bench.request('a'))
    const modes = ['.', 'bin', 'bin/run', 'secret', 'main.js'].map(async (name) => (await lstat(join(dir, name))).mode)
    expect((await Promise.all(modes)).map((mode) => (mode & 0o7777).toString(8))).toEqual([
      '755',
      '755',
      '555',
      '444',
      '444',
    ])
    expect(await readdir(dir)).toEqual(['bin', 'link', 'made', 'main.js', 'secret'])
    expect(await readFile(join(bench.dir, 'source', 'main.js'), 'utf8')).toBe('main')
  })
})

/** Nothing that a second one does before it waits takes more than a turn of the event loop. */
const joins = () => new Promise((resolve) => setImmediate(resolve))

describe('a build that several want at once', () => {
  beforeEach(() => {
    bench.end = undefined
  })

  it('is done once, and goes on when the one leaves that it began for', async () => {
    const builds = bench.open()
    const leaves = new AbortController()
    const first = builds.obtain(bench.request('a', { signal: leaves.signal }))
    await bench.begun('a')
    const second = builds.obtain(bench.request('b'))
    await joins()
    leaves.abort(new Error('stopped'))
    await expect(first).rejects.toThrow('stopped')
    expect(builds.isBuilding('a-build')).toBe(true)
    bench.engine.end('a-build')
    expect(await second).toMatchObject({ origin: 'shared' })
    expect(bench.built).toEqual(['a-build'])
  })

  it('has a user of its own until it is over', async () => {
    const users = new Map<string, number>()
    const claim = (id: string) => users.set(id, 61_200).get(id) as number
    const userIds = { claim, release: (id: string) => void users.delete(id), holders: () => [], transfer: () => {} }
    const only = bench.open({}, { userIds }).obtain(bench.request('a', { plan: { uid: 61_201 } }))
    await bench.begun('a')
    expect([bench.engine.runs.get('a-build')?.plan.uid, [...users.keys()]]).toEqual([61_200, ['a-build']])
    bench.engine.end('a-build')
    await only
    expect(users.size).toBe(0)
  })

  it('has ended when the last has left, and left nothing', async () => {
    const builds = bench.open()
    const leaves = new AbortController()
    const only = builds.obtain(bench.request('a', { signal: leaves.signal }))
    await bench.begun('a')
    leaves.abort(new Error('stopped'))
    await expect(only).rejects.toThrow('stopped')
    expect([bench.engine.runs.size, await readdir(bench.builds)]).toEqual([0, []])
    bench.end = { exitCode: 0 }
    expect(await builds.obtain(bench.request('b'))).toMatchObject({ origin: 'built' })
  })
})

describe('a build that failed', () => {
  it('fails at once for some minutes, with its last lines, and is then tried again', async () => {
    bench.end = { exitCode: 3 }
    bench.writes = async () => {
      await mkdir(join(bench.dir, 'logs', 'a'), { recursive: true })
      await writeFile(
        join(bench.dir, 'logs', 'a', 'run.log'),
        formatLine('out', 1, 'before') + formatLine('err', bench.clock.now(), 'the reason'),
      )
    }
    const builds = bench.open()
    await expect(builds.obtain(bench.request('a'))).rejects.toThrow(/exit code 3; it had no network: .* package index$/)
    const until = new Date(bench.clock.now() + 300_000).toISOString().replace('.000', '')
    await expect(builds.obtain(bench.request('b'))).rejects.toThrow(
      `name no package index; the same build is not tried again before ${until}`,
    )
    expect(bench.built).toHaveLength(1)
    expect(await linesOf(join(bench.dir, 'logs', 'b'))).toEqual({ out: [], err: ['the reason'], node: [] })
    await bench.clock.advance(300_000)
    bench.end = { exitCode: 0 }
    expect(await builds.obtain(bench.request('b'))).toMatchObject({ origin: 'built' })
  })

  it('says the same to all that waited', async () => {
    bench.end = undefined
    const builds = bench.open()
    const both = ['a', 'b'].map((runId) => builds.obtain(bench.request(runId)))
    await until(async () => bench.engine.runs.size > 0)
    bench.engine.end(bench.built[0] as string, { exitCode: 1, reason: 'memory', detail: 'too much' })
    for (const one of both) await expect(one).rejects.toThrow('the build ended with exit code 1: too much')
  })

  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  const PASSING: [string, Partial<Pick<BuildsBench, 'end' | 'writes'>>][] = [
    ['killed from outside', { end: { exitCode: 137 } }],
    ['on a node whose disk was full', { end: { exitCode: 1, detail: 'full', nodeDiskFull: true } }],
    ['stopped', { end: { exitCode: 143, reason: 'stopped' } }],
    ['left by its engine', { writes: () => Promise.reject(new EngineGoneError('away')) }],
    ['without disk', { writes: () => Promise.reject(full) }],
  ]
  it.each(PASSING)('is tried again where it was %s', async (_how, change) => {
    Object.assign(bench, change)
    const builds = bench.open()
    await expect(builds.obtain(bench.request('a'))).rejects.toThrow()
    expect([await readdir(bench.builds), builds.isBuilding('a-build')]).toEqual([[], false])
    Object.assign(bench, { end: { exitCode: 0 }, writes: async () => {} })
    expect(await builds.obtain(bench.request('b'))).toMatchObject({ origin: 'built' })
  })
})

describe('the folder of builds', () => {
  const big = async (dir: string) => writeFile(join(dir, 'big'), Buffer.alloc(MIB, 1))
  const obtain = (builds: ReturnType<BuildsBench['open']>, runId: string, command = runId) =>
    builds.obtain(bench.request(runId, { plan: { command: [command] } }))
  const folders = async () => (await readdir(bench.builds)).length

  it('keeps what runs use, also above its bound', async () => {
    bench.writes = big
    const builds = bench.open({ maxBytes: 1.5 * MIB })
    for (const runId of ['a', 'b']) await obtain(builds, runId)
    expect(await folders()).toBe(2)
    await builds.release('b')
    expect(await obtain(builds, 'c', 'a')).toMatchObject({ origin: 'cached' })
    expect(await obtain(builds, 'd', 'b')).toMatchObject({ origin: 'built' })
  })

  it('evicts what was used longest ago, by the uses that an earlier process has noted', async () => {
    bench.writes = big
    const first = bench.open()
    for (const [runId, command] of [['a'], ['b'], ['c'], ['d', 'a']] as const) {
      await obtain(first, runId, command)
      await bench.clock.advance(1000)
    }
    // the run of "b" ends last
    for (const runId of ['c', 'd', 'a', 'b']) {
      await first.release(runId)
      await bench.clock.advance(1000)
    }
    const next = bench.open({ maxBytes: 2.5 * MIB })
    const origins = ['a', 'b', 'c'].map(async (command) => (await obtain(next, `next-${command}`, command)).origin)
    expect(await Promise.all(origins)).toEqual(['cached', 'cached', 'built'])
  })

  it('counts files without a byte', async () => {
    bench.writes = async (dir) => {
      for (let n = 0; n < 600; n++) await writeFile(join(dir, `f${n}`), '')
    }
    const builds = bench.open({ maxBytes: 2 * MIB })
    await obtain(builds, 'a')
    await builds.release('a')
    expect(await folders()).toBe(0)
  })

  it('is found again by the next process, with what it counts and who uses it', async () => {
    bench.writes = big
    const first = bench.open()
    for (const runId of ['a', 'b', 'c']) await obtain(first, runId)
    await first.release('b')
    bench.unfinished.delete('c')
    const next = bench.open({ maxBytes: 1 })
    await next.open()
    expect(await folders()).toBe(1)
    expect(await obtain(next, 'd', 'a')).toMatchObject({ origin: 'cached' })
    await next.release('d')
    expect(await folders()).toBe(1)
    await next.release('a')
    expect(await folders()).toBe(0)
  })

  it('takes no part of an output for one, and leaves the code of a run that an earlier version built', async () => {
    const first = bench.open()
    await obtain(first, 'a')
    const [id = ''] = await readdir(bench.builds)
    await writeFile(join(bench.builds, id, 'output.json'), '{"key":')
    for (const name of ['half', 'earlier', 'over']) await mkdir(join(bench.builds, name, 'code'), { recursive: true })
    bench.unfinished.add('earlier')
    const next = bench.open()
    await next.open()
    expect(await readdir(bench.builds)).toEqual(['earlier'])
    expect(await obtain(next, 'a')).toMatchObject({ origin: 'built' })
  })

  const DAMAGE: [string, (dir: string) => Promise<void>][] = [
    ['byte', (dir) => writeFile(join(dir, 'made'), '7')],
    ['file more', (dir) => writeFile(join(dir, 'more'), '')],
    ['link', (dir) => symlink('/etc/passwd', join(dir, 'link'))],
  ]
  it.each(DAMAGE)('gives out no output with another %s; a run that has it keeps it', async (_what, damage) => {
    const first = bench.open()
    const { dir } = await obtain(first, 'a')
    await damage(dir)
    const next = bench.open()
    expect(await obtain(next, 'b', 'a')).toMatchObject({ origin: 'built' })
    expect(await folders()).toBe(2)
    await next.release('a')
    expect(await folders()).toBe(1)
    expect(await obtain(next, 'c', 'a')).toMatchObject({ origin: 'cached' })
  })

  it.skipIf(process.getuid?.() !== 0)('is left without a part of an output by a full disk', async () => {
    await mkdir(bench.builds)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', bench.builds])
    try {
      bench.writes = big
      const builds = bench.open()
      await expect(obtain(builds, 'a')).rejects.toMatchObject({ code: 'ENOSPC' })
      expect(await folders()).toBe(0)
      execFileSync('mount', ['-o', 'remount,size=4m', bench.builds])
      expect(await obtain(builds, 'a')).toMatchObject({ origin: 'built' })
    } finally {
      execFileSync('umount', [bench.builds])
    }
  })
})
