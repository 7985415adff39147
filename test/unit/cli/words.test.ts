import { expect, it, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import type { WakeCondition } from '../../../src/base/verdict.ts'
import { checkNodeVersion } from '../../../src/cli/checks/machine.ts'
import type { Cli } from '../../../src/cli/cli.ts'
import { runText } from '../../../src/cli/commands/status.ts'
import { commandLine } from '../../../src/cli/output/command-text.ts'
import { formatEvent } from '../../../src/cli/output/format-event.ts'
import { parkedText, wakeText } from '../../../src/cli/output/format-verdict.ts'
import { createCliLog, formatLogLine } from '../../../src/cli/output/log.ts'
import { createOutput, fields, table } from '../../../src/cli/output/output.ts'
import { idFormats, when } from '../../../src/cli/output/text.ts'
import { adviceOn } from '../../../src/cli/policy/advice.ts'
import { createReceiptTracker } from '../../../src/cli/publishing/receipt-tracker.ts'
import { nextSeq } from '../../../src/cli/publishing/sequence.ts'
import { startWait } from '../../../src/cli/publishing/wait.ts'
import { waitOutcome } from '../../../src/cli/publishing/wait-outcome.ts'
import { readPolicyText } from '../../../src/config/index.ts'
import type { ReceiptView } from '../../../src/node/types.ts'

function sink(isTTY: boolean) {
  let written = ''
  return {
    isTTY,
    columns: 40,
    write(text: string) {
      written += text
    },
    get written() {
      return written
    },
  }
}

test('output: with --json standard output has JSON only, and notes are silent', () => {
  const [stdout, stderr] = [sink(true), sink(true)]
  const out = createOutput({ stdout, stderr, json: true, clock: manualClock() })
  out.note('a note')
  using progress = out.progress('working')
  progress.update('more')
  out.item({ event: 'x' }, () => 'x')
  out.error('a problem')
  expect([out.terminal, stdout.written, stderr.written]).toEqual([false, '{"event":"x"}\n', '{"error":"a problem"}\n'])
})

test('output: progress is redrawn at a terminal, and is nowhere else', async () => {
  const clock = manualClock()
  const [stdout, stderr] = [sink(true), sink(true)]
  const out = createOutput({ stdout, stderr, json: false, clock })
  {
    using progress = out.progress('uploading')
    progress.bytes(512, 1024)
    await clock.advance(500)
    out.item({}, () => 'a line')
  }
  await clock.advance(500)
  expect(stderr.written).toContain('[############............]')
  // the line was cleared before the other one was printed, and at the end
  expect(stderr.written.endsWith('\r\u001b[2K')).toBe(true)
  for (const frame of stderr.written.split('\r\u001b[2K')) expect(frame.length).toBeLessThan(40)
  const pipe = sink(false)
  using quiet = createOutput({ stdout: pipe, stderr: pipe, json: false, clock }).progress('uploading')
  quiet.update('x')
  await clock.advance(500)
  expect(pipe.written).toBe('')
})

test('output: tables are aligned and safe', () => {
  const rows = Object.entries({ longer: 'x', y: 'a\u001bb', 日本: 'two columns each' })
  const lines = ['A       LONG', 'longer  x', 'y       a\ufffdb', '日本    two columns each']
  expect(table(['A', 'LONG'], rows)).toEqual(lines)
  expect(fields(Object.entries({ a: '1', long: '2', none: undefined }))).toEqual(['a:    1', 'long: 2'])
})

test.each([
  [false, true, /^\d\d:\d\d:\d\d {2}WARN {2}net: gone \(who=me\)\n$/],
  [false, false, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}WARN {2}net: gone \(who=me\)\n$/],
  [true, false, /^\{"level":40,"time":"[^"]+","part":"net","who":"me","msg":"gone"\}\n$/],
])('output: a log is in the format of the other lines: json %s, terminal %s', (json, isTTY, line) => {
  const stderr = sink(isTTY)
  createCliLog({ level: 'info', stderr, json }).child('net').warn('gone', { who: 'me' })
  expect(stderr.written).toMatch(line)
})

test('output: a log line at a terminal shows no escapes of strangers', () => {
  const lines: string[] = []
  createLog({ level: 'info', write: (line) => void lines.push(line) })
    .child('net')
    .warn('gone', { who: '\u001b[31mred\n' })
  expect(formatLogLine(lines[0] as string, true)).toMatch(
    /^\d\d:\d\d:\d\d {2}WARN {2}net: gone \(who=\ufffd\[31mred\ufffd\)$/,
  )
})

test('output: ids are short where people read them, times human', () => {
  const id = 'bafyreihi47p3p24gfv5cmboa6qewklm2n3p6r4bfdlwvd6onmdo474z2oe'
  expect(id.startsWith(idFormats(true).id(id))).toBe(true)
  expect(idFormats(false).id(id)).toBe(id)
  expect([when(100, 40), when(40, 100)]).toEqual(['in 1m 0s', '1m 0s ago'])
})

test.each([
  [{ state: 'running', restarts: 0 }, 'running with docker for 1m 0s'],
  [{ state: 'running', restarts: 1 }, 'running with docker for 1m 0s, restarted once'],
  [{ state: 'running', restarts: 0, healthy: true }, 'running with docker for 1m 0s'],
  [
    { state: 'running', restarts: 0, healthy: false, detail: 'it runs, and is healthy when port 80 answers' },
    'running, but not healthy, with docker for 1m 0s: it runs, and is healthy when port 80 answers',
  ],
  [{ state: 'starting', restarts: 2, exitCode: 1 }, 'starting with docker for 1m 0s, exit code 1, restarted 2 times'],
  [{ state: 'stopped', restarts: 0, detail: 'its author stopped it' }, 'stopped with docker: its author stopped it'],
] as const)('output: a run %j is said in one way', (run, text) => {
  const view = { runId: 'r', executor: 'docker', since: 40, network: { mode: 'none' }, ...run } as const
  expect(runText({ kind: 'service', run: view }, 100)).toBe(text)
})

test('output: events are formatted as sentences', () => {
  const verdict = { run: false as const, redirect: true, reasons: [] }
  const line = formatEvent('node:verdict', { id: 'bafy1', name: 'x\u001b', verdict, tookMs: 1 }, false)
  expect(line).toBe('"x\ufffd" bafy1: not run here, redirected')
  const about = { signer: 'hub-address', about: 'bafy2', seq: 1, via: 'gossip' as const }
  const formatted = (kind: 'attestation' | 'delegation' | 'freeze', says: string) =>
    formatEvent('trust:statement', { ...about, kind, says }, false)
  expect(formatted('attestation', 'unsafe')).toBe('hub hub-address calls code bafy2 unsafe (gossip)')
  expect(formatted('delegation', 'revoked')).toContain('no longer')
  expect(formatted('freeze', '10 on b\u001b')).toContain('10 on b\ufffd')
  const seen = { topic: 'services', bytes: 1, outcome: 'seen' } as const
  expect(formatEvent('network:gossip-published', seen, false)).toBeUndefined()
})

test('doctor knows which Node is enough', () => {
  const outcomes = ['20.20.2', '24.1.0', '26.10.0'].map((version) => checkNodeVersion(version).outcome)
  expect(outcomes).toEqual(['fail', 'warn', 'ok'])
})

const entry = { seq: 3, id: 'x', code: 'c', expires: 200, ports: [], state: 'announced' as const }
const base = { name: 'n', mode: 'publish' as const, entry: undefined, known: [], asked: undefined, nowSeconds: 100 }

test('the number of the next version: begins at 1, and goes on above everything that was used', () => {
  expect(nextSeq(base)).toBe(1)
  expect(nextSeq({ ...base, mode: 'update', entry })).toBe(4)
  expect(nextSeq({ ...base, mode: 'update', entry, known: [{ seq: 9, state: 'running', expires: 200 }] })).toBe(10)
  expect(nextSeq({ ...base, mode: 'update', asked: 20 })).toBe(20)
})

test('the number of the next version: publish is for names that are free: never used, stopped, expired, or never sent', () => {
  expect(() => nextSeq({ ...base, entry })).toThrow(/published already \(seq 3\)/)
  expect(() => nextSeq({ ...base, known: [{ seq: 1, state: 'running', expires: 200 }] })).toThrow(/published already/)
  expect(nextSeq({ ...base, entry: { ...entry, state: 'stopped' } })).toBe(4)
  expect(nextSeq({ ...base, entry: { ...entry, state: 'draft' } })).toBe(4)
  expect(nextSeq({ ...base, entry: { ...entry, expires: 50 } })).toBe(4)
  expect(nextSeq({ ...base, known: [{ seq: 5, state: 'stopped', expires: 200 }] })).toBe(6)
})

const SERVICE = { author: 'AUTHOR', code: 'bafy', desc: 'two words' }

test.each<[string, string, string[], string[]]>([
  [
    'limits',
    'resources.memory',
    [
      'asks for 1.5 GiB of memory, LIMITS.SERVICE.MEMORY allows 256 MiB of memory',
      'asks for 1500 millicores, LIMITS.SERVICE.CPU allows 1000 millicores',
      'asks for 128 processes, LIMITS.SERVICE.PIDS allows 64 processes',
    ],
    ['"LIMITS": { "SERVICE": { "MEMORY": "2GiB", "CPU": "1.5", "PIDS": 128 } }'],
  ],
  [
    'toolchain',
    'toolchain',
    ['node.js, python are not in one list of PREFER_TOOLCHAIN'],
    ['"PREFER_TOOLCHAIN": { "docker": ["node.js", "python"], "host": ["node.js", "python"] }', 'thundercloud doctor'],
  ],
  [
    'network',
    'network',
    ['asks for a.example.org:443: not in NETCAP.ALLOW', 'asks for b.example.org:80: not in NETCAP.ALLOW'],
    ['"NETCAP": { "MODE": "allowlist", "ALLOW": ["a.example.org:443", "b.example.org:80"] }'],
  ],
  [
    'storage',
    'sources',
    ['may not download from example.org and 2 more: not in ALLOWED_STORAGE'],
    ['"ALLOWED_STORAGE": ["example.org"]'],
  ],
  [
    'freeze',
    'frozen',
    ['MIN_FREEZE on btc is 10.5, and nothing is known of what the author has frozen there'],
    ['thundercloud hub freeze AUTHOR --chain btc --amount 10.5'],
  ],
])('what would change %s is written out, and the file takes it', (rule, field, messages, expected) => {
  const needs = { field, must: 'be' as const, value: 'x' }
  const reasons = messages.map((message) => ({ rule, outcome: 'fail' as const, message, needs }))
  const typed = (...words: string[]) => commandLine({ globals: {} }, words)
  const lines = adviceOn(reasons, SERVICE, typed).flatMap((advice) => advice.lines)
  // what follows a line, in brackets, is said to the reader
  const shown = lines.map((line) => line.replace(/ {3}\(.*\)$/, ''))
  expect(shown).toEqual(expected)
  for (const line of shown.filter((each) => each.startsWith('"'))) {
    const config = JSON.parse(`{ ${line} }`) as { LIMITS?: object }
    const LIMITS = { TOTAL: { MEMORY: '8GiB', CPU: '8', DISK: '8GiB', PIDS: 512 }, ...config.LIMITS }
    expect(() => readPolicyText(JSON.stringify({ ...config, LIMITS }))).not.toThrow()
  }
})

let number = 0
const from = (state: string, more: Partial<ReceiptView> = {}): ReceiptView => ({
  ...{ node: 'n', peerId: `p${number++}`, state, redirected: false, reasons: [], at: 1 },
  ...more,
})
const exit = { rule: 'run:exit', outcome: 'fail', message: 'exit code 1' } as const
const failing = (restarts: number) => {
  const restart = { rule: 'run:restart', outcome: 'defer', message: `restart ${restarts}: it failed` } as const
  return from('accepted', { reasons: [exit, restart] })
}

it.each([
  ['nobody answered', [], 60_000, undefined],
  ['as many are healthy as wanted', [from('running'), from('refused')], 0, 'healthy'],
  ['a task is done', [from('done')], 0, 'healthy'],
  ['one may still run it', [from('failed'), from('accepted')], 60_000, undefined],
  ['one waits for capacity', [from('refused'), from('parked')], 60_000, undefined],
  ['all refused, just now', [from('refused')], 100, undefined],
  ['all refused', [from('refused'), from('refused')], 2_500, 'refused'],
  ['it was redirected: nodes further away may answer', [from('redirected')], 2_500, undefined],
  ['nobody further away answered', [from('redirected')], 7_000, 'refused'],
  ['it failed, and others refused', [from('failed'), from('refused')], 2_500, 'failed'],
  ['it ended twice, and may come up yet', [failing(2)], 60_000, undefined],
  ['it ends again and again', [failing(3)], 2_500, 'failed'],
] as const)('what --wait comes to: %s', (_, answers, quietMs, outcome) => {
  expect(waitOutcome({ answers: [...answers], replicas: 1, quietMs })).toBe(outcome)
})

it('what --wait comes to: all neighbours have answered: nothing is waited for', () => {
  const answers = [from('failed'), from('refused')]
  expect(waitOutcome({ answers, replicas: 1, quietMs: 0, neighbours: 2 })).toBe('failed')
  expect(waitOutcome({ answers, replicas: 1, quietMs: 0, neighbours: 3 })).toBeUndefined()
  expect(waitOutcome({ answers, replicas: 1, quietMs: 0, neighbours: 0 })).toBeUndefined()
})

test('what --wait comes to: each new answer begins the quiet time again', async () => {
  const clock = manualClock()
  const out = createOutput({ stdout: sink(false), stderr: sink(false), json: false, clock })
  const tracker = createReceiptTracker(out)
  const cli = { clock, out, signal: new AbortController().signal } as Partial<Cli> as Cli
  using wait = startWait(cli, { id: 'x', name: 'x', replicas: 1, timeoutSeconds: 60, tracker })
  const over: boolean[] = []
  for (const state of ['refused', 'refused', undefined, undefined]) {
    if (state !== undefined) tracker.take(from(state))
    over.push(wait.over())
    await clock.advance(1500)
  }
  expect(over).toEqual([false, false, false, true])
})

test('the sum says of each node what its line said', () => {
  const sink = { write: () => true, isTTY: false }
  const out = createOutput({ stdout: sink, stderr: sink, json: false, clock: manualClock() })
  const tracker = createReceiptTracker(out)
  const reason = (rule: string) => [{ rule, outcome: 'defer' as const, message: '' }]
  const [again, health] = [reason('run:restart'), reason('run:health')]
  for (const [peerId, reasons] of Object.entries({ a: [], b: health, c: again, d: again }))
    tracker.take({ peerId, node: peerId, state: 'accepted', reasons, redirected: false, at: 1 })
  expect(tracker.summary()).toBe('1 will run it, 1 starts it and 2 starts it again')
})

test('every condition has words for people, and none lets text from the network through as it is', () => {
  const quorum: WakeCondition = { on: 'quorum', code: 'c' }
  const delegation: WakeCondition = { on: 'delegation', author: 'a' }
  const freeze: WakeCondition = { on: 'freeze', chain: 'btc\u001b[2J' }
  const conditions = [{ on: 'capacity' }, { on: 'policy' }, quorum, freeze, delegation, { on: 'replica' }] as const
  const words = conditions.map((condition) => wakeText([condition]))
  expect(new Set(words).size).toBe(conditions.length)
  expect(words.join()).not.toContain('\u001b')
  const vouched = 'a root of the trust tree vouches for the author'
  expect(wakeText([quorum, delegation])).toBe(`enough hubs call the code safe or ${vouched}`)
  expect(parkedText({ since: 0, until: 3600, on: [delegation] }, 0)).toBe(`until ${vouched}, for 1h 0m at most`)
})
