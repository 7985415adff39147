import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { checkNodeVersion } from '../../../src/cli/checks/machine.ts'
import { formatEvent } from '../../../src/cli/output/format-event.ts'
import { readable } from '../../../src/cli/output/log.ts'
import { createOutput, fields, table } from '../../../src/cli/output/output.ts'
import { show, when } from '../../../src/cli/output/text.ts'
import { nextSeq } from '../../../src/cli/publishing/sequence.ts'

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

describe('output', () => {
  test('with --json standard output has JSON only, and notes are silent', () => {
    const [stdout, stderr] = [sink(true), sink(true)]
    const out = createOutput({ stdout, stderr, json: true, clock: manualClock() })
    out.note('a note')
    using progress = out.progress('working')
    progress.update('more')
    out.item({ event: 'x' }, () => 'x')
    out.error('a problem')
    expect([out.terminal, stdout.written, stderr.written]).toEqual([
      false,
      '{"event":"x"}\n',
      '{"error":"a problem"}\n',
    ])
  })

  test('progress is redrawn at a terminal, and is nowhere else', async () => {
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

  test('tables are aligned and safe', () => {
    expect(
      table(
        ['A', 'LONG'],
        [
          ['longer', 'x'],
          ['y', 'a\u001bb'],
          ['日本', 'two columns each'],
        ],
      ),
    ).toEqual(['A       LONG', 'longer  x', 'y       a\ufffdb', '日本    two columns each'])
    expect(
      fields([
        ['a', '1'],
        ['long', '2'],
        ['none', undefined],
      ]),
    ).toEqual(['a:    1', 'long: 2'])
  })

  test('a log line at a terminal shows no escapes of strangers', () => {
    const lines: string[] = []
    createLog({ level: 'info', write: (line) => void lines.push(line) })
      .child('net')
      .warn('gone', { who: '\u001b[31mred\n' })
    expect(readable(lines[0] as string)).toMatch(/^\d\d:\d\d:\d\d WARN {2}net: gone \(who=\ufffd\[31mred\ufffd\)$/)
  })

  test('ids are short where people read them, times human', () => {
    const id = 'bafyreihi47p3p24gfv5cmboa6qewklm2n3p6r4bfdlwvd6onmdo474z2oe'
    expect(id.startsWith(show(true).id(id))).toBe(true)
    expect(show(false).id(id)).toBe(id)
    expect([when(100, 40), when(40, 100)]).toEqual(['in 1m 0s', '1m 0s ago'])
  })

  test('events are told in words', () => {
    const verdict = { run: false as const, redirect: true, reasons: [] }
    const line = formatEvent('node:verdict', { id: 'bafy1', name: 'x\u001b', verdict, tookMs: 1 }, false)
    expect(line).toBe('"x\ufffd" bafy1: not run here, passed on')
    const told = { signer: 'hub-address', about: 'bafy2', seq: 1, via: 'gossip' as const }
    expect(formatEvent('trust:statement', { ...told, kind: 'attestation', says: 'unsafe' }, false)).toBe(
      'hub hub-address calls code bafy2 unsafe (gossip)',
    )
    expect(formatEvent('trust:statement', { ...told, kind: 'delegation', says: 'revoked' }, false)).toContain(
      'no longer',
    )
    expect(formatEvent('trust:statement', { ...told, kind: 'freeze', says: '10 on b\u001b' }, false)).toContain(
      '10 on b\ufffd',
    )
    expect(
      formatEvent('network:gossip-published', { topic: 'services', bytes: 1, outcome: 'seen' }, false),
    ).toBeUndefined()
  })
})

test('doctor knows which Node is enough', () => {
  expect(['20.20.2', '24.1.0', '26.10.0'].map((version) => checkNodeVersion(version).outcome)).toEqual([
    'fail',
    'warn',
    'ok',
  ])
})

describe('the number of the next version', () => {
  const entry = { seq: 3, id: 'x', code: 'c', expires: 200, ports: [], state: 'announced' as const }
  const base = { name: 'n', mode: 'publish' as const, entry: undefined, known: [], asked: undefined, nowSeconds: 100 }

  test('begins at 1, and goes on above everything that was used', () => {
    expect(nextSeq(base)).toBe(1)
    expect(nextSeq({ ...base, mode: 'update', entry })).toBe(4)
    expect(nextSeq({ ...base, mode: 'update', entry, known: [{ seq: 9, state: 'running', expires: 200 }] })).toBe(10)
    expect(nextSeq({ ...base, mode: 'update', asked: 20 })).toBe(20)
  })

  test('publish is for names that are free: never used, stopped, expired, or never sent', () => {
    expect(() => nextSeq({ ...base, entry })).toThrow(/published already \(seq 3\)/)
    expect(() => nextSeq({ ...base, known: [{ seq: 1, state: 'running', expires: 200 }] })).toThrow(/published already/)
    expect(nextSeq({ ...base, entry: { ...entry, state: 'stopped' } })).toBe(4)
    expect(nextSeq({ ...base, entry: { ...entry, state: 'draft' } })).toBe(4)
    expect(nextSeq({ ...base, entry: { ...entry, expires: 50 } })).toBe(4)
    expect(nextSeq({ ...base, known: [{ seq: 5, state: 'stopped', expires: 200 }] })).toBe(6)
  })
})
