import { describe, expect, it } from 'vitest'
import { once } from '../../../src/base/events.ts'
import type { RunnerError } from '../../../src/runner/index.ts'
import { byName, configOf, failureOf, runnerIn, SHORT, serviceOf, snapshotOf, YES } from './support.ts'

async function loadFailure(files: Record<string, string>, loadMs = 30_000): Promise<RunnerError> {
  await using runner = runnerIn(files, { limits: { loadMs } })
  const error = await failureOf(runner.host.start())
  // one sentence is enough: nothing of ours falls over on the way
  expect(runner.lines.join('\n')).not.toContain('src/runner/child')
  return error
}

describe('a module that cannot be loaded is told in one sentence', () => {
  it.each([
    ['is not there', {}, /mine\/runner\.mjs is not there; RUNNER in services\.json names it$/],
    [
      'exports nothing',
      { 'mine/runner.mjs': '' },
      /has no default export; write "export default async \(service, node\)/,
    ],
    ['exports no function', { 'mine/runner.mjs': 'export default 7' }, /exports number as its default; write/],
    ['is a folder', { 'mine/runner.mjs/other.mjs': '' }, /mine\/runner\.mjs is a folder and not a file; RUNNER in/],
    ['exports nothing at all', { 'mine/runner.mjs': 'export default null' }, /exports null as its default; write/],
    ['exports a class', { 'mine/runner.mjs': 'export default class {}' }, /exports a class as its default; write/],
    ['throws nothing', { 'mine/runner.mjs': 'throw null' }, /cannot be imported: something that is no error: null$/],
    [
      'has types that cannot be stripped',
      { 'mine/runner.mjs': `import './a.ts'; export default () => {}`, 'mine/a.ts': 'export enum A { B }' },
      /SyntaxError: TypeScript enum is not supported/,
    ],
    [
      'aborts',
      { 'mine/runner.mjs': 'process.abort()' },
      /ended while it was loading: the runner's process ended by SIGABRT$/,
    ],
    [
      'kills its parent',
      { 'mine/runner.mjs': `process.kill(process.ppid, 'SIGKILL')` },
      /cannot be imported: a runner may not signal processes \(runner\.mjs:1\)$/,
    ],
    [
      'forks',
      { 'mine/runner.mjs': `import cp from 'node:child_process'; cp.fork('x.js')` },
      /cannot be imported: it may not start programs \(runner\.mjs:1\)$/,
    ],
    [
      'starts a thread',
      { 'mine/runner.mjs': `import wt from 'node:worker_threads'; new wt.Worker('1', { eval: true })` },
      /cannot be imported: it may not start threads/,
    ],
    [
      'asks the network',
      { 'mine/runner.mjs': `import net from 'node:net'; net.createServer().listen(0)` },
      /it may not use the network; "RUNNER_NETWORK": true in services\.json allows it/,
    ],
    [
      'imports what this package does not have for it',
      { 'mine/runner.mjs': `import 'thundercloud/client'` },
      /a runner cannot import thundercloud\/client; it can import thundercloud\/andromeda and thundercloud\/runner-kit/,
    ],
    [
      'imports types as if they were there',
      { 'mine/runner.mjs': `import { Verdict } from 'thundercloud/runner-kit'; export default () => {}` },
      /does not provide an export named 'Verdict'; import its types with "import type"/,
    ],
    [
      'takes buffers without end',
      { 'mine/runner.mjs': 'const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))' },
      /ended while it was loading: the runner used .* of memory, and 256(\.0)? MiB are allowed/,
    ],
    [
      'throws',
      { 'mine/runner.mjs': 'let a = 1\nb()' },
      /cannot be imported: ReferenceError: b is not defined \(runner\.mjs:2\)$/,
    ],
    ['is no JavaScript', { 'mine/runner.mjs': 'export default (' }, /cannot be imported: SyntaxError: /],
    ['imports what is missing', { 'mine/runner.mjs': `import 'left-pad'` }, /cannot be imported: .*left-pad/],
    ['imports a missing file', { 'mine/runner.mjs': `import './lib.mjs'` }, /cannot be imported: .*lib\.mjs/],
    [
      'imports a file outside',
      { 'mine/runner.mjs': `import '../other.mjs'`, 'other.mjs': '' },
      /cannot be imported: it may not read files outside of its own folder \(.*other\.mjs\)/,
    ],
    [
      'exits',
      { 'mine/runner.mjs': 'process.exit(3)' },
      /ended while it was loading: the runner's process ended with code 3$/,
    ],
    [
      'awaits for ever',
      { 'mine/runner.mjs': 'await new Promise(() => {})' },
      /did not finish loading within 500 ms$/,
      500,
    ],
    ['never returns', { 'mine/runner.mjs': 'for (;;);' }, /did not finish loading within 500 ms$/, 500],
    [
      'allocates without end',
      { 'mine/runner.mjs': 'const a = []; for (;;) a.push(new Array(1000).fill(a.length + 0.5))' },
      /ended while it was loading: the runner (filled its heap|used .* of memory)/,
    ],
  ] as [string, Record<string, string>, RegExp, number?][])('%s', async (_name, files, words, loadMs) => {
    const error = await loadFailure(files, loadMs)
    expect(error).toMatchObject({ name: 'RunnerError', kind: 'load' })
    expect(error.message).toMatch(/^the runner \//)
    expect(error.message).toMatch(words)
    expect(error.message).not.toContain('\n')
  })
})

describe('a new module', () => {
  const version = (text: string) => ({
    'mine/runner.mjs': `export default () => ({ run: false, redirect: false, reasons: [{ rule: 'v', outcome: 'pass', message: '${text}' }] })`,
  })

  it('takes over when the file is saved', async () => {
    await using runner = runnerIn(version('1'))
    await runner.host.start()
    const swapped = once(runner.events, 'runner:loaded', { where: ({ swapped }) => swapped })
    runner.save('mine/runner.mjs', version('2')['mine/runner.mjs'])
    await swapped
    const { reasons } = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(reasons[0]?.message).toBe('2')
  })

  it('that is broken leaves the last good one in place', async () => {
    await using runner = runnerIn(version('1'))
    await runner.host.start()
    const failed = once(runner.events, 'runner:load-failed')
    runner.save('mine/runner.mjs', 'export default (')
    expect(await failed).toMatchObject({ keepsOld: true })
    expect(await failureOf(runner.host.reload())).toMatchObject({ kind: 'load' })
    const { reasons } = await runner.host.decide(serviceOf(), snapshotOf(runner.config))
    expect(reasons[0]?.message).toBe('1')
  })

  it('loses no announcement while it takes over, again and again', async () => {
    const slow = `export default async service => {
      if (service.seq % 3 === 0) await new Promise(resolve => setTimeout(resolve, 30))
      return ${YES}
    }`
    await using runner = runnerIn({ 'mine/runner.mjs': slow })
    await runner.host.start()
    const snapshot = snapshotOf(runner.config)
    let seq = 0
    let over = false
    const ask = async () => {
      while (!over) await runner.host.decide(serviceOf({ seq: seq++ }), snapshot)
    }
    const askers = Promise.all(Array.from({ length: 40 }, ask))
    for (let turn = 0; turn < 4; turn++) await runner.host.reload(configOf({ DESC_MAX_LEN: turn }))
    over = true
    await askers
    expect(runner.host.stats()).toMatchObject({ decided: seq, failed: 0, died: 0, swapped: 4 })
  })

  it('comes up by itself when a broken one was mended after the old one died', async () => {
    await using runner = runnerIn(byName({ bad: 'process.exit(1)' }), { limits: SHORT })
    await runner.host.start()
    const failed = once(runner.events, 'runner:load-failed')
    runner.save('mine/runner.mjs', 'export default (')
    await failed
    const snapshot = snapshotOf(runner.config)
    expect(await failureOf(runner.host.decide(serviceOf({ name: 'bad' }), snapshot))).toMatchObject({
      name: 'RunnerError',
    })
    const error = await failureOf(runner.host.decide(serviceOf(), snapshot))
    expect(error).toMatchObject({ kind: 'load' })
    expect(error.message).toMatch(/^the runner is not there: /)
    const loaded = once(runner.events, 'runner:loaded')
    runner.save('mine/runner.mjs', version('mended')['mine/runner.mjs'])
    await loaded
    expect((await runner.host.decide(serviceOf(), snapshot)).reasons[0]?.message).toBe('mended')
  })
})
