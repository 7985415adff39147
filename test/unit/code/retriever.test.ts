import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CID, sha256 } from '../../../protocols/encoding.ts'
import { manualClock } from '../../../src/base/clock.ts'
import { seededRng } from '../../../src/base/rng.ts'
import { createManifest as describeArchive } from '../../../src/code/archive/chunks.ts'
import { BadArchiveError, InUseError, NoProviderError, TooLargeError } from '../../../src/code/errors.ts'
import { createCode } from '../../../src/code/index.ts'
import type { Behaviour } from '../../fixtures/code/stores.ts'
import {
  collect,
  MIB,
  noise,
  once,
  packFiles,
  testComponents,
  testMesh,
  testStore,
} from '../../fixtures/code/stores.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { advanceUntil, provider } from './fetch-fixtures.ts'
import { rawTar } from './raw-tar.ts'

async function testCode(
  peers: Parameters<typeof testMesh>[0] = {},
  init: { dir?: string; providers?: (code: CID) => string[]; clock?: ReturnType<typeof manualClock> } = {},
) {
  const components = testComponents()
  const dir = init.dir ?? (await tempDir())
  const streams = testMesh(peers)
  const providers = {
    async *findProviders(code: CID) {
      yield* init.providers?.(code) ?? Object.keys(peers)
    },
  }
  const clock = init.clock ?? components.clock
  const all = { ...components, clock, rng: seededRng('obtain'), streams, providers }
  const code = await createCode(all, { dir, maxBytes: 64 * MIB, self: 'me' })
  return { ...components, clock, code, streams, dir }
}

/** Another node with a code of this content. */
async function having(content: string | Uint8Array) {
  const there = await testCode()
  return { there, ...(await there.code.addTar(once(await tarOf(content)))) }
}

const mainOf = ({ dir }: { dir: string }) => readFile(join(dir, 'src/main.js'), 'utf8')
const RUN = { path: 'run', content: 'x', executable: true }
const tarOf = (content: string | Uint8Array) => collect(packFiles([{ path: 'src/main.js', content }, RUN]))
/** A code of this content that is nowhere. */
const codeOf = async (content: string) => (await (await testStore()).store.addTar(once(await tarOf(content)))).code
const unpackings = ({ seen }: { seen: [string, unknown][] }) => seen.filter(([name]) => name === 'code:unpacked').length

describe('obtaining code', () => {
  test('a folder that was packed on one node is unpacked on another', async () => {
    const folder = await tempDir()
    await mkdir(join(folder, 'src'))
    await writeFile(join(folder, 'src/main.js'), 'console.log(1)')
    const there = await testCode()
    const { code, files } = await there.code.addFolder(folder)
    expect(files).toBe(1)
    const here = await testCode({ alice: there.code.store, me: () => expect.fail('asked itself') })
    using obtained = await here.code.obtain(code)
    expect(await mainOf(obtained)).toBe('console.log(1)')
    const happened = expect.arrayContaining([
      'code:fetch-started',
      'code:added',
      'code:fetch-finished',
      'code:unpacked',
    ])
    expect(here.seen.map(([name]) => name)).toEqual(happened)
  })

  test('several runs share one folder, which stays while one of them holds it', async () => {
    const here = await testCode()
    const { code } = await here.code.addTar(once(await tarOf('hello')))
    const held = await Promise.all(Array.from({ length: 5 }, () => here.code.obtain(code)))
    expect(new Set(held.map(({ dir }) => dir)).size).toBe(1)
    expect(unpackings(here)).toBe(1)
    for (const each of held.slice(1)) each.release()
    held[1]?.release()
    await expect(here.code.store.remove(code)).rejects.toBeInstanceOf(InUseError)
    held[0]?.release()
    await here.code.store.remove(code)
    expect(existsSync(held[0]?.dir as string)).toBe(false)
    expect(here.code.store.usage().bytes).toBe(0)
  })

  test('after a restart the folder is checked once, and made again where it was changed', async () => {
    const first = await testCode()
    const { code } = await first.code.addTar(once(await tarOf('hello')))
    const { dir } = await first.code.obtain(code)
    const second = await testCode({}, { dir: first.dir })
    expect((await second.code.obtain(code)).dir).toBe(dir)
    expect(unpackings(second)).toBe(0)
    await chmod(join(dir, 'src/main.js'), 0o644)
    await writeFile(join(dir, 'src/main.js'), 'other')
    const third = await testCode({}, { dir: first.dir })
    using obtained = await third.code.obtain(code)
    expect(await mainOf(obtained)).toBe('hello')
    expect(unpackings(third)).toBe(1)
  })

  test('inline bytes need no peer; inline bytes of another code are passed over', async () => {
    const tar = await tarOf('inline')
    const code = (await (await testStore()).store.addTar(once(tar))).code
    const here = await testCode({ nobody: () => expect.fail('was asked') })
    using obtained = await here.code.obtain(code, { sources: [{ type: 'mesh' }, { type: 'inline', bytes: tar }] })
    expect(await mainOf(obtained)).toBe('inline')
    expect(here.seen).toContainEqual(['code:added', { code: code.toString(), size: tar.byteLength, from: 'inline' }])
    const { there, code: wanted } = await having('other')
    const other = await testCode({ alice: there.code.store })
    const sources = [tar, new Uint8Array()].map((bytes) => ({ type: 'inline' as const, bytes }))
    ;(await other.code.obtain(wanted, { sources })).release()
    expect(other.code.store.has(code)).toBe(false)
  })

  test('looks again and again, longer each time, until a peer has it', async () => {
    const { there, code } = await having('late')
    const clock = manualClock()
    let rounds = 0
    const providers = () => (++rounds < 5 ? [] : ['alice'])
    const here = await testCode({ alice: there.code.store }, { clock, providers })
    const fetching = here.code.fetch(code)
    await advanceUntil(clock, 250, () => here.code.store.has(code)).toBe(true)
    await fetching
    expect(rounds).toBe(5)
    const failed = here.seen.filter(([name]) => name === 'code:fetch-failed')
    expect(failed).toHaveLength(4)
    const problem = `no peer was found that has the code ${code}`
    expect(failed[0]?.[1]).toEqual({ code: code.toString(), problem, retry: true })
    expect(clock.monotonic()).toBeGreaterThanOrEqual(7_500)
  })

  test('gives up with the signal, or when patience ends', async () => {
    const clock = manualClock()
    const here = await testCode({}, { clock })
    const code = await codeOf('nowhere')
    const impatient = here.code.obtain(code, { patienceMs: 5_000 })
    impatient.catch(() => {})
    for (let step = 0; step < 20; step++) await clock.advance(500)
    await expect(impatient).rejects.toBeInstanceOf(NoProviderError)
    const controller = new AbortController()
    const stopped = here.code.obtain(code, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })

  test('a caller that stops waiting does not stop the others', async () => {
    const { there, code } = await having('shared')
    const gate = Promise.withResolvers<void>()
    const slow: Behaviour = async (stream) => {
      await gate.promise
      await there.code.serve(stream)
    }
    const here = await testCode({ slow })
    const controller = new AbortController()
    const first = here.code.obtain(code, { signal: controller.signal })
    const second = here.code.obtain(code)
    await expect.poll(() => here.streams.opened).toEqual(['slow'])
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    gate.resolve()
    ;(await second).release()
    expect(here.streams.opened).toEqual(['slow'])
  })

  test('an archive with the right hash that is no good is refused for good, and leaves the store', async () => {
    const tar = rawTar({ path: 'a', type: '1', link: '/etc/passwd' })
    const { code, encoded } = describeArchive(tar.byteLength, [sha256(tar)])
    const mallory = provider((request) => ({ is: 'bytes', bytes: request.want === 'manifest' ? encoded : tar }))
    const here = await testCode({ mallory })
    await expect(here.code.obtain(code)).rejects.toBeInstanceOf(BadArchiveError)
    const why = '"a" is a hard link; an archive holds regular files and symbolic links only'
    await expect(here.code.obtain(code)).rejects.toThrow(why)
    expect(here.code.store.usage()).toMatchObject({ bytes: 0, codes: 0 })
  })

  test('limits are those of the caller', async () => {
    const { there, code, size } = await having(noise(MIB))
    const here = await testCode({ alice: there.code.store })
    const refused = async () => {
      for (const limits of [{ maxBytes: size - 1 }, { maxEntries: 2 }])
        await expect(here.code.obtain(code, { limits })).rejects.toBeInstanceOf(TooLargeError)
    }
    await refused()
    ;(await here.code.obtain(code, { limits: { maxBytes: size, maxEntries: 3 } })).release()
    await refused()
  })

  test.each([
    ['may be no larger', { maxBytes: 600 }],
    ['may have fewer files', { maxEntries: 2 }],
  ])('what is refused to a service that %s is not refused to another that wants the same code', async (_, limits) => {
    const { there, code } = await having('hello')
    const here = await testCode({ alice: there.code.store })
    const refused = expect(here.code.obtain(code, { limits })).rejects.toBeInstanceOf(TooLargeError)
    using obtained = await here.code.obtain(code)
    expect(await mainOf(obtained)).toBe('hello')
    await refused
  })

  test('a service whose sources lead nowhere keeps no other from its own', async () => {
    const bytes = await tarOf('hello')
    const code = await codeOf('hello')
    const here = await testCode()
    const patienceMs = 5000
    const lost = here.code.fetch(code, { patienceMs })
    const found = here.code.fetch(code, { patienceMs, sources: [{ type: 'inline', bytes }] })
    await Promise.all([lost, found])
    expect(here.seen.filter(([name]) => name === 'code:fetch-failed')).toHaveLength(1)
  })

  test('a code that the disk has damaged is fetched again', async () => {
    const { there, code } = await having('precious')
    const here = await testCode({ alice: there.code.store })
    await here.code.fetch(code)
    const { tar } = here.code.store.paths(code)
    await writeFile(tar, (await readFile(tar)).fill('X', 600, 604))
    using obtained = await here.code.obtain(code)
    expect(await mainOf(obtained)).toBe('precious')
    expect(dirname(obtained.dir)).toBe(dirname(tar))
    expect(here.seen).toContainEqual(['code:removed', { code: code.toString(), why: 'damaged' }])
  })

  test('stopping in the middle of a fetch ends it, and leaves what came', async () => {
    const code = await codeOf('never')
    const here = await testCode({ silent: provider(() => undefined) })
    const obtaining = here.code.obtain(code)
    obtaining.catch(() => {})
    await expect.poll(() => here.streams.opened).toEqual(['silent'])
    await here.code[Symbol.asyncDispose]()
    await expect(obtaining).rejects.toThrow('the node stops')
  })
})
