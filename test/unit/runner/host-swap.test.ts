import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { once } from '../../../src/base/events.ts'
import { failureOf, runnerIn, serviceOf, snapshotOf, YES } from './support.ts'

/** Says its version, tells the log what it decides, and takes a moment for every third. */
const version = (text: string) => `export default async (service, node) => {
  node.log.info('decides', { seq: service.seq })
  if (service.seq % 3 === 0) await new Promise(resolve => setTimeout(resolve, 300))
  return { run: false, redirect: false, reasons: [{ rule: 'version', outcome: 'fail', message: '${text}' }] }
}`

describe('a runner that is saved while it decides', () => {
  it('answers what it was asked, each once; what comes after is decided by the new one', async () => {
    await using runner = runnerIn({ 'mine/runner.mjs': version('old') })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    const decide = async (seq: number) => (await runner.host.decide(serviceOf({ seq }), snapshot)).reasons[0]?.message
    const first = runner.host.stats().pid
    const swapped = once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped })
    runner.save('mine/runner.mjs', version('new'))
    const early: Promise<string | undefined>[] = []
    let over = false
    const watching = swapped.then(() => {
      over = true
    })
    let seq = 0
    while (!over) {
      early.push(decide(seq++))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await watching
    // asked of the old one just before, and not answered yet
    const late = await Promise.all([decide(seq++), decide(seq++), decide(seq++)])
    expect(late).toEqual(['new', 'new', 'new'])
    const answers = await Promise.all(early)
    expect(new Set(answers)).toEqual(new Set(['old']))
    expect(runner.host.stats()).toMatchObject({ decided: seq, failed: 0, died: 0, swapped: 1, underWay: 0 })
    expect(runner.host.stats().pid).not.toBe(first)
    const decided = runner.lines.flatMap((line) => {
      const { fields } = JSON.parse(line) as { fields?: { seq?: number } }
      return fields?.seq === undefined ? [] : [fields.seq]
    })
    expect(decided.sort((a, b) => a - b)).toEqual(Array.from({ length: seq }, (_, index) => index))
  })

  it('is loaded anew for a file that it imports, in a folder below and in one that is new', async () => {
    const code = `import { words } from './lib/words.ts'
      export default () => ({ run: false, redirect: false, reasons: [{ rule: 'a', outcome: 'fail', message: words }] })`
    const words = (text: string) => `export const words: string = '${text}'\n`
    await using runner = runnerIn({ 'mine/runner.mjs': code, 'mine/lib/words.ts': words('one') })
    await runner.host.start()
    const says = async () => (await runner.host.decide(serviceOf(), snapshotOf(runner.config))).reasons[0]?.message
    expect(await says()).toBe('one')
    const swap = async (save: () => void) => {
      const swapped = once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped })
      save()
      await swapped
      return says()
    }
    expect(await swap(() => runner.save('mine/lib/words.ts', words('two')))).toBe('two')
    // as git does it: the whole folder is another one
    mkdirSync(join(runner.root, 'next'))
    runner.save('next/words.ts', words('three'))
    const replaced = await swap(() => {
      renameSync(join(runner.root, 'mine/lib'), join(runner.root, 'gone'))
      renameSync(join(runner.root, 'next'), join(runner.root, 'mine/lib'))
    })
    expect(replaced).toBe('three')
    expect(await swap(() => runner.save('mine/lib/words.ts', words('four')))).toBe('four')
  })

  it('is left alone when a test or the settings beside it are saved', async () => {
    const name = 'mine/runner.mjs'
    await using runner = runnerIn({ [name]: version('old') })
    await runner.host.start()
    const swapped = once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped })
    for (const other of ['runner.test.js', 'config.json', 'README.md', '.hidden']) runner.save(`mine/${other}`, 'x')
    // later than what those would have caused
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(runner.host.stats().swapped).toBe(0)
    runner.save(name, version('new'))
    await swapped
    expect(runner.host.stats().swapped).toBe(1)
  })
})

describe('another runner', () => {
  const place = (root: string, name: string) => ({
    entry: join(root, name, 'runner.mjs'),
    dir: join(root, name),
    network: false,
  })

  it('takes over on a reload that names it, and its folder is the one that is watched', async () => {
    await using runner = runnerIn({ 'mine/runner.mjs': version('mine'), 'other/runner.mjs': version('other') })
    await runner.host.start()
    const says = async () => (await runner.host.decide(serviceOf(), snapshotOf(runner.config))).reasons[0]?.message
    await runner.host.reload(runner.config, place(runner.root, 'other'))
    expect(await says()).toBe('other')
    runner.save('mine/runner.mjs', version('nobody listens'))
    const swapped = once(runner.events, 'runner:loaded', { where: ({ entry }) => entry.includes('other') })
    runner.save('other/runner.mjs', version('another'))
    await swapped
    expect(await says()).toBe('another')
    expect(runner.host.stats().swapped).toBe(2)
  })

  it('that cannot be loaded changes nothing, and the old one is still watched', async () => {
    await using runner = runnerIn({ 'mine/runner.mjs': version('mine') })
    await runner.host.start()
    const error = await failureOf(runner.host.reload(runner.config, place(runner.root, 'other')))
    expect(error.message).toMatch(/other\/runner\.mjs is not there/)
    const swapped = once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped })
    runner.save('mine/runner.mjs', version('still mine'))
    await swapped
    const { reasons } = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(reasons[0]?.message).toBe('still mine')
  })
})

describe('a runner that leaks a little with every decision', () => {
  it.each([
    ['outside of the heap', 'all.push(Buffer.alloc(1 << 20, 1))'],
    ['in the heap', 'all.push(Array.from({ length: 60_000 }, (_, at) => at + 0.5))'],
  ])('%s: is ended at its limit, again and again, and every question is answered', async (_name, leak) => {
    const code = `const all = []; export default service => { ${leak}; return ${YES} }`
    const limits = { timeoutMs: 20_000, heapMb: 64, residentBytes: 200 * 1024 * 1024 }
    await using runner = runnerIn({ 'mine/runner.mjs': code }, { limits })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    let asked = 0
    const ask = async () => {
      while (asked < 500) {
        asked++
        // a leak takes no time, so give the host's look a chance to see it before the system runs out
        await new Promise((resolve) => setTimeout(resolve, 10))
        await runner.host.decide(serviceOf(), snapshot)
      }
    }
    await Promise.all(Array.from({ length: 10 }, ask))
    const { died, failed, decided } = runner.host.stats()
    expect({ failed, decided }).toEqual({ failed: 0, decided: 500 })
    expect(died).toBeGreaterThan(0)
    expect(runner.heard.filter(({ name }) => name === 'runner:died').length).toBe(died)
    for (const { name, detail } of runner.heard) {
      if (name === 'runner:died') expect(detail).toMatchObject({ kind: 'memory' })
    }
  })
})

describe('a runner that breaks after it was good', () => {
  it.each([
    ['a syntax error', 'export default (', /SyntaxError/],
    ['nothing', '', /has no default export/],
    ['a folder in its place', undefined, /is a folder and not a file/],
  ])('%s: the last good one goes on, and one sentence says why', async (_name, code, words) => {
    await using runner = runnerIn({ 'mine/runner.mjs': version('good') })
    await runner.host.start()
    const failed = once(runner.events, 'runner:load-failed')
    if (code === undefined) {
      renameSync(join(runner.root, 'mine/runner.mjs'), join(runner.root, 'mine/old.mjs'))
      mkdirSync(join(runner.root, 'mine/runner.mjs'))
    } else runner.save('mine/runner.mjs', code)
    const { message, keepsOld } = await failed
    expect(keepsOld).toBe(true)
    expect(message).toMatch(words)
    expect(message).not.toContain('\n')
    expect(await failureOf(runner.host.reload())).toMatchObject({ kind: 'load', message })
    const { reasons } = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(reasons[0]?.message).toBe('good')
    expect(runner.host.stats()).toMatchObject({ died: 0, failed: 0, swapped: 0 })
  })
})
