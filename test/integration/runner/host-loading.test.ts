import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { once } from '../../../src/base/events.ts'
import type { RunnerError } from '../../../src/runner/index.ts'
import {
  byName,
  configOf,
  failureOf,
  runnerIn,
  runnerWithMessage,
  SHORT,
  startedRunner,
} from '../../fixtures/runner/runners.ts'

const RUNNER = 'mine/runner.mjs'
/** Says its version, tells the log what it decides, and takes a moment for every third. */
const version = (text: string) =>
  runnerWithMessage(
    `'${text}'`,
    `node.log.info('decides', { seq: service.seq })
    if (service.seq % 3 === 0) await new Promise(resolve => setTimeout(resolve, 300))`,
  )

async function loadFailure(code: string | Record<string, string>, loadMs = 30_000): Promise<RunnerError> {
  await using runner = runnerIn(typeof code === 'string' ? { [RUNNER]: code } : code, { limits: { loadMs } })
  const error = await failureOf(runner.host.start())
  // one sentence is enough: nothing of ours falls over on the way
  expect(runner.lines.join('\n')).not.toContain('src/runner/child')
  return error
}

describe('a module that cannot be loaded is reported in one sentence', () => {
  const refused = (words: string) => new RegExp(`cannot be imported: ${words} \\(runner\\.mjs:1\\)$`)
  const ended = (words: string) => new RegExp(`ended while it was loading: the runner${words}`)
  const THREAD = `import wt from 'node:worker_threads'; new wt.Worker('1', { eval: true })`
  const LISTEN = `import net from 'node:net'; net.createServer().listen(0)`
  const NO_NETWORK = /it may not use the network; "RUNNER_NETWORK": true in services\.json allows it/
  const ONLY_OURS =
    /a runner cannot import thundercloud\/client; it can import thundercloud\/andromeda and thundercloud\/runner-kit/
  const TYPES = /does not provide an export named 'Verdict'; import its types with "import type"/
  const BUFFERS = 'const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))'
  const MISSING_TYPE = `import { Verdict } from 'thundercloud/runner-kit'; export default () => {}`
  const ENUM = { [RUNNER]: `import './a.ts'; export default () => {}`, 'mine/a.ts': 'export enum A { B }' }
  const OUTSIDE = { [RUNNER]: `import '../other.mjs'`, 'other.mjs': '' }
  const GROWS = 'const a = []; for (;;) a.push(new Array(1000).fill(a.length + 0.5))'

  it.each<[string, string | Record<string, string>, RegExp, number?]>([
    ['is not there', {}, /mine\/runner\.mjs is not there; RUNNER in services\.json names it$/],
    ['exports nothing', '', /has no default export; write "export default async \(service, node\)/],
    ['exports no function', 'export default 7', /exports number as its default; write/],
    ['is a folder', { 'mine/runner.mjs/other.mjs': '' }, /mine\/runner\.mjs is a folder and not a file; RUNNER in/],
    ['exports nothing at all', 'export default null', /exports null as its default; write/],
    ['exports a class', 'export default class {}', /exports a class as its default; write/],
    ['throws nothing', 'throw null', /cannot be imported: a value that is not an Error: null$/],
    ['has types that cannot be stripped', ENUM, /SyntaxError: TypeScript enum is not supported/],
    ['aborts', 'process.abort()', ended("'s process ended by SIGABRT$")],
    ['kills its parent', `process.kill(process.ppid, 'SIGKILL')`, refused('a runner may not signal processes')],
    ['forks', `import cp from 'node:child_process'; cp.fork('x.js')`, refused('it may not start programs')],
    ['starts a thread', THREAD, /cannot be imported: it may not start threads/],
    ['asks the network', LISTEN, NO_NETWORK],
    ['imports what this package does not have for it', `import 'thundercloud/client'`, ONLY_OURS],
    ['imports types as if they were there', MISSING_TYPE, TYPES],
    ['takes buffers without end', BUFFERS, ended(' used .* of memory, and 256(\\.0)? MiB are allowed')],
    ['throws', 'let a = 1\nb()', /cannot be imported: ReferenceError: b is not defined \(runner\.mjs:2\)$/],
    ['is no JavaScript', 'export default (', /cannot be imported: SyntaxError: /],
    ['imports what is missing', `import 'left-pad'`, /cannot be imported: .*left-pad/],
    ['imports a missing file', `import './lib.mjs'`, /cannot be imported: .*lib\.mjs/],
    [
      'imports a file outside',
      OUTSIDE,
      /cannot be imported: it may not read files outside of its own folder \(.*other\.mjs\)/,
    ],
    ['exits', 'process.exit(3)', ended("'s process ended with code 3$")],
    ['awaits for ever', 'await new Promise(() => {})', /did not finish loading within 500 ms$/, 500],
    ['never returns', 'for (;;);', /did not finish loading within 500 ms$/, 500],
    ['allocates without end', GROWS, ended(' (filled its heap|used .* of memory)')],
  ])('%s', async (_name, code, words, loadMs) => {
    const error = await loadFailure(code, loadMs)
    expect(error).toMatchObject({ name: 'RunnerError', kind: 'load' })
    expect(error.message).toMatch(/^the runner \//)
    expect(error.message).toMatch(words)
    expect(error.message).not.toContain('\n')
  })
})

describe('a runner that is saved while it decides', () => {
  it('answers what it was asked, each once; what comes after is decided by the new one', async () => {
    await using runner = await startedRunner(version('old'))
    const first = runner.host.stats().pid
    let [seq, over] = [0, false]
    const ask = () => runner.says({ seq: seq++ })
    const watching = runner.swapped().then(() => {
      over = true
    })
    runner.save(RUNNER, version('new'))
    const early: Promise<string | undefined>[] = []
    while (!over) {
      early.push(ask())
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await watching
    // asked of the old one just before, and not answered yet
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['new', 'new', 'new'])
    expect(new Set(await Promise.all(early))).toEqual(new Set(['old']))
    expect(runner.host.stats()).toMatchObject({ decided: seq, failed: 0, died: 0, swapped: 1, underWay: 0 })
    expect(runner.host.stats().pid).not.toBe(first)
    const seqOf = (line: string) => (JSON.parse(line) as { fields?: { seq?: number } }).fields?.seq ?? []
    const decided = runner.lines.flatMap(seqOf)
    expect(decided.sort((a, b) => a - b)).toEqual(Array.from({ length: seq }, (_, index) => index))
  })

  it('loses no announcement while it takes over, again and again', async () => {
    const slow = 'if (service.seq % 3 === 0) await new Promise(resolve => setTimeout(resolve, 30))'
    await using runner = await startedRunner(runnerWithMessage("'slow'", slow))
    let [seq, over] = [0, false]
    const ask = async () => {
      while (!over) await runner.decide({ seq: seq++ })
    }
    const askers = Promise.all(Array.from({ length: 40 }, ask))
    for (let turn = 0; turn < 4; turn++) await runner.host.reload(configOf({ DESC_MAX_LEN: turn }))
    over = true
    await askers
    expect(runner.host.stats()).toMatchObject({ decided: seq, failed: 0, died: 0, swapped: 4 })
  })

  it('is loaded again for a file that it imports, in a folder below and in one that is new', async () => {
    const words = (text: string) => `export const words: string = '${text}'\n`
    const lib = 'mine/lib/words.ts'
    const code = `import { words } from './lib/words.ts'; ${runnerWithMessage('words')}`
    await using runner = await startedRunner({ [RUNNER]: code, [lib]: words('one') })
    expect(await runner.says()).toBe('one')
    const swap = async (save: () => void) => {
      const swapped = runner.swapped()
      save()
      await swapped
      return runner.says()
    }
    expect(await swap(() => runner.save(lib, words('two')))).toBe('two')
    // as git does it: the whole folder is another one
    mkdirSync(join(runner.root, 'next'))
    runner.save('next/words.ts', words('three'))
    const replaced = await swap(() => {
      renameSync(join(runner.root, 'mine/lib'), join(runner.root, 'gone'))
      renameSync(join(runner.root, 'next'), join(runner.root, 'mine/lib'))
    })
    expect(replaced).toBe('three')
    expect(await swap(() => runner.save(lib, words('four')))).toBe('four')
  })
})

describe('another runner', () => {
  const place = (root: string) => {
    const dir = join(root, 'other')
    return { entry: join(dir, 'runner.mjs'), dir, network: false }
  }

  it('takes over on a reload that names it, and its folder is the one that is watched', async () => {
    await using runner = await startedRunner({ [RUNNER]: version('mine'), 'other/runner.mjs': version('other') })
    await runner.host.reload(runner.config, place(runner.root))
    expect(await runner.says()).toBe('other')
    runner.save(RUNNER, version('nobody listens'))
    const swapped = runner.swapped()
    runner.save('other/runner.mjs', version('another'))
    expect((await swapped).entry).toContain('other')
    expect(await runner.says()).toBe('another')
    expect(runner.host.stats().swapped).toBe(2)
  })

  it('is loaded and watched, too, where a link leads to the folder above its own', async () => {
    await using runner = await startedRunner({ [RUNNER]: version('mine'), 'other/runner.mjs': version('other') })
    const link = join(runner.root, 'link')
    symlinkSync(runner.root, link)
    await runner.host.reload(runner.config, place(link))
    expect(await runner.says()).toBe('other')
    const swapped = runner.swapped()
    runner.save('other/runner.mjs', version('another'))
    await swapped
    expect(await runner.says()).toBe('another')
  })

  it('that cannot be loaded changes nothing, and the old one is still watched', async () => {
    await using runner = await startedRunner(version('mine'))
    const error = await failureOf(runner.host.reload(runner.config, place(runner.root)))
    expect(error.message).toMatch(/other\/runner\.mjs is not there/)
    const swapped = runner.swapped()
    runner.save(RUNNER, version('still mine'))
    await swapped
    expect(await runner.says()).toBe('still mine')
  })
})

describe('a runner that leaks a little with every decision', () => {
  it.each([
    ['outside of the heap', 'all.push(Buffer.alloc(1 << 20, 1))'],
    ['in the heap', 'all.push(Array.from({ length: 60_000 }, (_, at) => at + 0.5))'],
  ])('%s: is ended at its limit, again and again, and every question is answered', async (_name, leak) => {
    const limits = { timeoutMs: 20_000, heapMb: 64, residentBytes: 200 * 1024 * 1024 }
    await using runner = await startedRunner(`const all = []; ${runnerWithMessage("'leaks'", leak)}`, { limits })
    let asked = 0
    const ask = async () => {
      while (asked < 500) {
        asked++
        // a leak takes no time, so give the host's look a chance to see it before the system runs out
        await new Promise((resolve) => setTimeout(resolve, 10))
        await runner.decide()
      }
    }
    await Promise.all(Array.from({ length: 10 }, ask))
    const { died, failed, decided } = runner.host.stats()
    expect({ failed, decided }).toEqual({ failed: 0, decided: 500 })
    expect(died).toBeGreaterThan(0)
    const deaths = runner.reported.filter(({ name }) => name === 'runner:died')
    expect(deaths).toHaveLength(died)
    for (const { detail } of deaths) expect(detail).toMatchObject({ kind: 'memory' })
  })
})

describe('a runner that breaks after it was good', () => {
  it.each([
    ['a syntax error', 'export default (', /SyntaxError/],
    ['nothing', '', /has no default export/],
    ['a folder in its place', undefined, /is a folder and not a file/],
  ])('%s: the last good one goes on, and one sentence says why', async (_name, code, words) => {
    await using runner = await startedRunner(version('good'))
    const failed = once(runner.events, 'runner:load-failed')
    if (code === undefined) {
      renameSync(join(runner.root, RUNNER), join(runner.root, 'mine/old.mjs'))
      mkdirSync(join(runner.root, RUNNER))
    } else runner.save(RUNNER, code)
    const { message, keepsOld } = await failed
    expect(keepsOld).toBe(true)
    expect(message).toMatch(words)
    expect(message).not.toContain('\n')
    expect(await failureOf(runner.host.reload())).toMatchObject({ kind: 'load', message })
    expect(await runner.says()).toBe('good')
    expect(runner.host.stats()).toMatchObject({ died: 0, failed: 0, swapped: 0 })
  })

  it('comes up by itself when it is mended after the last good one died', async () => {
    await using runner = await startedRunner(byName({ bad: 'process.exit(1)' }), { limits: SHORT })
    const failed = once(runner.events, 'runner:load-failed')
    runner.save(RUNNER, 'export default (')
    await failed
    expect(await runner.fails({ name: 'bad' })).toMatchObject({ name: 'RunnerError' })
    const error = await runner.fails()
    expect(error).toMatchObject({ kind: 'load' })
    expect(error.message).toMatch(/^the runner is not there: /)
    const loaded = once(runner.events, 'runner:loaded')
    runner.save(RUNNER, version('mended'))
    await loaded
    expect(await runner.says()).toBe('mended')
  })
})
