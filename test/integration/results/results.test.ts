import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Header } from 'tar'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { PROBLEM, taskOutputs } from '../../../src/execution/host/outputs/task-outputs.ts'
import type { TaskOutputs } from '../../../src/execution/index.ts'
import { recordsToForget } from '../../../src/results/eviction.ts'
import { createNodeResults, createResults, outputsReason, type Results } from '../../../src/results/index.ts'
import { serviceOf } from '../../fixtures/execution/supervisor-harness.ts'
import { system } from '../../fixtures/system.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

const KIB = 1024

/** A clock whose wall time a test sets. */
function settableClock() {
  const clock = systemClock()
  let aheadMs = 0
  const jump = (ms: number) => {
    aheadMs += ms
  }
  return { ...clock, now: () => clock.now() + aheadMs, jump }
}

function leaving(files: Record<string, string | undefined>): TaskOutputs {
  async function* tarOf(path: string, text: string) {
    const header = Buffer.alloc(512)
    new Header({ path, type: 'File', mode: 0o644, size: text.length }).encode(header)
    yield Buffer.concat([header, Buffer.from(text), Buffer.alloc(512 - (text.length % 512 || 512)), Buffer.alloc(1024)])
  }
  return {
    paths: (async function* () {
      for (const [path, text] of Object.entries(files))
        yield { path, tar: text === undefined ? undefined : tarOf(path, text) }
    })(),
  }
}

async function bench(limits = { bytes: 64 * KIB, seconds: 3600 }, dir?: string) {
  const [folder, clock] = [dir ?? join(await tempDir(), 'results'), settableClock()]
  const open = () => createResults({ clock, log: system.log }, { dir: folder, limits: () => limits })
  const keep = async (results: Results, id: string, left: TaskOutputs, author = 'author') => {
    clock.jump(1)
    const task = { service: serviceOf(id, { kind: 'task' }, { author }), runId: `run-${id}`, diskBytes: 10 ** 9 }
    return results.keeper.keep(task, left, { signal: AbortSignal.timeout(30_000) })
  }
  return { dir: folder, clock, limits, open, keep, results: await open() }
}

const messageOf = (results: Results, id: string) => {
  const record = results.get(id)
  const reason = record && outputsReason(record)
  return reason && `${reason.outcome} ${reason.message}`
}

describe('the results of a node', () => {
  it('are kept with their content id, over a restart, and read as they were packed', async () => {
    const { results, keep, open } = await bench()
    expect(await keep(results, 'a', leaving({ out: 'hello' }))).toMatch(/^results: 1 file, 2 KiB, kept until/)
    const again = await open()
    for (const each of [results, again]) {
      expect(messageOf(each, 'a')).toMatch(/^pass bafy\w+$/)
      await using reader = await each.open('a')
      const bytes = new Uint8Array(reader?.manifest.size ?? 0)
      expect([await reader?.read(0, bytes), Buffer.from(bytes).includes('hello')]).toEqual([true, true])
    }
  })

  it('say what is missing beside what is there, and why there is nothing', async () => {
    const { results, keep } = await bench()
    await keep(results, 'a', leaving({ out: 'hello', 'no\nthing': undefined }))
    await keep(results, 'b', leaving({ gone: undefined }))
    await keep(results, 'c', { problem: 'are gone: the machine stopped' })
    await keep(results, 'd', leaving({ big: 'x'.repeat(17 * KIB) }))
    expect(messageOf(results, 'a')).toMatch(/^fail bafy\w+: no file at "no.thing"$/)
    expect(messageOf(results, 'b')).toBe('fail the outputs are not there: no file at "gone"')
    expect(messageOf(results, 'c')).toBe('fail the outputs are gone: the machine stopped')
    expect(messageOf(results, 'd')).toMatch(/have more than the 16 KiB .*LIMITS\.RESULTS\.BYTES/)
    expect(await results.open('d')).toBeUndefined()
  })

  it('go when their time is over, also while the node is away; that they were there is remembered for a while', async () => {
    const { dir, clock, results, keep, open } = await bench()
    await keep(results, 'a', leaving({ out: 'hello' }))
    clock.jump(3_600_000)
    const later = await open()
    expect(messageOf(later, 'a')).toMatch(/^fail the outputs were kept until 20/)
    expect(await readdir(join(dir, 'a'))).toEqual(['result.json'])
    clock.jump(31 * 24 * 3_600_000)
    expect((await open()).get('a')).toBeUndefined()
    expect(await readdir(dir)).toEqual(['temp'])
  })

  it('of the author who has most make room for newer ones, the oldest first', async () => {
    const { results, keep } = await bench()
    const text = 'x'.repeat(12 * KIB)
    await keep(results, 'small', leaving({ out: 'hello' }), 'someone')
    for (const id of ['1', '2', '3', '4', '5', '6']) await keep(results, id, leaving({ out: text }), 'flood')
    const has = ['small', '1', '2', '3', '4', '5', '6'].filter((id) => results.get(id)?.code !== undefined)
    expect(has).toEqual(['small', '3', '4', '5', '6'])
    expect(messageOf(results, '1')).toMatch(/^fail the outputs made room for newer results/)
  })

  it('are forgotten, beyond a number, where there are none any more, and then the oldest of the author who has most', () => {
    const record = (service: string, at: number, author: string, code?: string) => ({
      ...{ v: 1 as const, service, runId: service, author, size: 9, files: 1, complete: true, at, expires: 0, code },
    })
    const some = [
      record('first', 1, 'someone', 'kept'),
      ...[2, 3, 4].map((at) => record(`flood ${at}`, at, 'flood', 'kept')),
      record('noted', 5, 'someone'),
      ...[6, 7].map((at) => record(`flood ${at}`, at, 'flood')),
    ]
    const forgotten = (max: number) => recordsToForget(some, max).map(({ service }) => service)
    expect([forgotten(7), forgotten(6)]).toEqual([[], ['flood 6']])
    expect(forgotten(3)).toEqual(['flood 6', 'noted', 'flood 7', 'flood 2'])
  })

  it('go where the policy gives them less, the oldest first', async () => {
    const { limits, results, keep, open } = await bench()
    for (const id of ['1', '2', '3']) await keep(results, id, leaving({ out: 'x'.repeat(10 * KIB) }))
    limits.bytes = 30 * KIB
    const fewer = await open()
    expect(['1', '2', '3'].filter((id) => fewer.get(id)?.code !== undefined)).toEqual(['2', '3'])
    limits.bytes = 0
    expect((await open()).get('3')?.code).toBeUndefined()
  })

  it('of which a crash left a part are not there, and nothing of it stays', async () => {
    const { dir, results, keep, open } = await bench()
    await keep(results, 'a', leaving({ out: 'hello' }))
    await keep(results, 'b', leaving({ out: 'hello' }))
    await writeFile(join(dir, 'b', 'tar'), 'short')
    await mkdir(join(dir, 'temp', '7'))
    await mkdir(join(dir, 'c'))
    const again = await open()
    expect([again.get('a')?.code, again.get('b'), await readdir(dir)]).toEqual([
      results.get('a')?.code,
      undefined,
      ['a', 'temp'],
    ])
    expect(await readdir(join(dir, 'temp'))).toEqual([])
  })

  it('are packed two at a time', async () => {
    const { results, keep } = await bench()
    const [two, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let [running, most] = [0, 0]
    const watched = (left: TaskOutputs): TaskOutputs => ({
      paths: (async function* () {
        most = Math.max(most, ++running)
        if (running === 2) two.resolve()
        await rest.promise
        if ('paths' in left) yield* left.paths
        running--
      })(),
    })
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const kept = Promise.all(ids.map((id) => keep(results, id, watched(leaving({ out: id })))))
    await two.promise
    // the time that one takes: more would have begun
    const other = await bench()
    await other.keep(other.results, 'other', leaving({ out: 'x' }))
    rest.resolve()
    await kept
    expect([most, ids.filter((id) => results.get(id)?.code === undefined)]).toEqual([2, []])
  })

  it('are read from their own folder alone, and nothing there blocks', async () => {
    const dir = await tempDir()
    await writeFile(join(dir, 'secret'), 's')
    await symlink(join(dir, 'secret'), join(dir, PROBLEM))
    expect(await taskOutputs(dir, [])).toEqual({ problem: expect.stringContaining('gone') })
    await rm(join(dir, PROBLEM))
    await writeFile(join(dir, PROBLEM), 'x'.repeat(100_000))
    expect(await taskOutputs(dir, [])).toEqual({ problem: 'x'.repeat(512) })
    await rm(join(dir, PROBLEM))
    execFileSync('mkfifo', [join(dir, '0.tar')])
    const left = await taskOutputs(dir, ['a'])
    const tars = 'paths' in left ? await Array.fromAsync(left.paths, ({ tar }) => Array.fromAsync(tar ?? [])) : []
    expect(tars).toEqual([[]])
  })

  it('take the place of what the same run left before', async () => {
    const { results, keep } = await bench()
    await keep(results, 'a', { problem: 'are gone' })
    await keep(results, 'a', leaving({ out: 'hello' }))
    expect(messageOf(results, 'a')).toMatch(/^pass bafy/)
  })

  it('are open while someone reads them, and not for a reader that leaves before the first byte', async () => {
    const { results, keep } = await bench()
    await keep(results, 'a', leaving({ out: 'hello' }))
    let opened = 0
    const open = async (service: string) => {
      const reader = await results.open(service)
      opened++
      return (
        reader && {
          ...reader,
          async [Symbol.asyncDispose]() {
            opened--
            await reader[Symbol.asyncDispose]()
          },
        }
      )
    }
    const services = {
      find: (id: string) => ({ id, record: { name: id }, signed: { body: serviceOf(id, { kind: 'task' }) } }),
    }
    const node = createNodeResults({ services, results: { get: results.get, open } })
    await ReadableStream.from(await node.read('a')).cancel()
    expect(opened).toBe(0)
    const pieces = await Array.fromAsync(await node.read('a'))
    expect([Buffer.concat(pieces).includes('hello'), opened]).toEqual([true, 0])
  })

  it('that the disk has damaged are said to be so', async () => {
    const { dir, results, keep } = await bench()
    await keep(results, 'a', leaving({ out: 'hello' }))
    const size = results.get('a')?.size ?? 0
    await writeFile(join(dir, 'a', 'tar'), Buffer.alloc(size))
    await using reader = await results.open('a')
    await expect(reader?.read(0, new Uint8Array(size))).rejects.toThrow('damaged')
  })
})
