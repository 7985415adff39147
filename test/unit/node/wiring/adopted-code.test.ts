import { readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCodeProvider } from '../../../../src/node/wiring/code-provider.ts'
import { MIB, noise } from '../../../fixtures/code/stores.ts'
import { GRANT, serviceOf, useBench } from '../../../fixtures/execution/supervisor-harness.ts'
import { advanceUntil, publish } from '../../code/fetch-fixtures.ts'
import { checked, repairable } from '../../code/repair/repair-fixtures.ts'
import { flip } from '../../code/store/store-support.ts'

describe('the code of a run that goes on while its node starts again', () => {
  const bench = useBench()

  /** A node with a code part of its own in `dir`; it reaches a peer that has the code, unless it is offline. */
  async function node(there: Awaited<ReturnType<typeof publish>>, dir?: string) {
    const here = await repairable({ alice: there.store }, dir === undefined ? {} : { dir })
    const code = createCodeProvider({
      code: here.code,
      network: { dial: async () => 'alice' },
      signed: { get: () => undefined },
      journal: { announcements: { get: () => undefined } as never },
      own: '',
      trust: { lookUp: async () => ({ complete: true }) },
    })
    return Object.assign(here, { supervisor: bench.start({}, { code }) })
  }

  const eventually = (look: () => boolean) => advanceUntil(bench.clock, 1000, look).toBe(true)
  const service = (code: string) => serviceOf('a', {}, { code })

  /** A node that was killed while its service ran, and whose disk did this to the archive afterwards. */
  async function leave(harm: (tar: string) => Promise<unknown>) {
    const there = await publish(noise(2 * MIB))
    const before = await node(there)
    before.supervisor.run(service(there.code.toString()), GRANT)
    await bench.reaches('a', 'running')
    const { tar, files } = before.code.store.paths(there.code)
    await before.supervisor[Symbol.asyncDispose]()
    await before.code[Symbol.asyncDispose]()
    await harm(tar)
    const content = join(files, 'content')
    return { there, dir: before.dir, content, ino: (await stat(content)).ino }
  }

  const HARM: [string, (tar: string) => Promise<unknown>, string][] = [
    ['a wrong byte', (tar) => flip(tar, 5), 'chunk 0 is damaged on this disk'],
    ['a short archive', (tar) => truncate(tar, MIB), '2 chunks, the first of them 1, are damaged on this disk'],
    ['no archive', (tar) => rm(tar), 'a file of it is missing'],
  ]

  it.each(HARM)('with %s: its files stay, and the archive is fetched again', async (_, harm, why) => {
    const { there, dir, content, ino } = await leave(harm)
    const here = await node(there, dir)
    const booted = here.supervisor.boot()
    // before the executor has said what it runs
    expect(await checked(here.code.store)).toEqual([['damaged', why]])
    await booted
    using _repair = here.beginRepair()
    await eventually(() => here.supervisor.status('a')?.healthy === true)
    await expect.poll(() => here.code.store.has(there.code)).toBe(true)
    expect((await stat(content)).ino).toBe(ino)
    expect(Buffer.compare(await readFile(content), there.tar.subarray(512, -1024))).toBe(0)
    expect(await checked(here.code.store)).toEqual([['ok', undefined]])
    expect(here.code.store.usage()).toMatchObject({ bytes: 2 * there.size, files: 6 })
    expect(here.seen.filter(([name]) => name === 'code:removed')).toEqual([])

    // what it is started from the next time is checked, and still the same
    bench.end('a', 1)
    await eventually(() => bench.engine.starts.length === 2)
    expect((await stat(content)).ino).toBe(ino)
    await here.supervisor.stop('a', { why: 'that was all' })
    await here.code.store.remove(there.code)
    expect(here.code.store.usage()).toMatchObject({ bytes: 0, files: 0 })
  })

  it.each(HARM)('with %s: leaves the store where its run is over', async (_, harm) => {
    const { there, dir } = await leave(harm)
    const here = await node(there, dir)
    expect((await checked(here.code.store)).map(([state]) => state)).toEqual(['removed'])
    expect(here.code.store.usage()).toMatchObject({ bytes: 0, files: 0, codes: 0 })
  })
})
