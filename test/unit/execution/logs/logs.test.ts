import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { manualClock, systemClock } from '../../../../src/base/clock.ts'
import { LOG_BURST_BYTES, LOG_BYTES_PER_SECOND } from '../../../../src/execution/constants.ts'
import { createSplitter, formatLine, parseLine } from '../../../../src/execution/logs/format.ts'
import { lastWritten, readLogs } from '../../../../src/execution/logs/reader.ts'
import { createLogWriter, pumpOutput } from '../../../../src/execution/logs/writer.ts'
import { forAll } from '../../../fixtures/property.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const clock = systemClock()

describe('lines', () => {
  it('come back as they were written', () => {
    for (const [stream, at, line] of [
      ['err', 1234, 'a b  c'],
      ['out', '1234.567890', ''],
    ] as const)
      expect(parseLine(formatLine(stream, at, line).replace('\n', ''))).toEqual({ stream, at: 1234, line })
    expect(parseLine('no such line')).toBeUndefined()
  })

  it('can neither end early nor move a cursor', () => {
    expect(formatLine('out', 1, 'a\u001b[2Jb\nc\rd\te\u202e\r')).toBe('1 o a\ufffd[2Jb\ufffdc\ufffdd\te\ufffd\n')
  })

  it('are the same however the bytes are cut, and never too long', () => {
    const line = fc.string().map((text) => new TextEncoder().encode(`${text}\n`))
    const all = (parts: Uint8Array[]) => {
      const splitter = createSplitter(50)
      return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()]
    }
    forAll(300, [fc.array(fc.oneof(fc.uint8Array({ maxLength: 400 }), line))], (chunks) => {
      expect(all(chunks).join('')).toBe(all([Buffer.concat(chunks)]).join(''))
      expect(all(chunks).every((line) => line.length <= 50)).toBe(true)
    })
  })
})

describe('log files', () => {
  let dir: string
  beforeEach(async () => {
    dir = await tempDir()
  })

  const read = async (tail: number) => {
    const lines = await Array.fromAsync(readLogs(dir, { tail, follow: false, keep: 5, ended: () => true, clock }))
    return lines.map(({ line }) => line)
  }

  it('turn over and keep only what they may', async () => {
    await using writer = createLogWriter(dir, 'run', { maxBytes: 1000, keep: 2 })
    for (let n = 0; n < 500; n++) await writer.write(formatLine('out', n, `line ${n}`))
    expect((await readdir(dir)).sort()).toEqual(['run.dropped', 'run.log', 'run.log.1', 'run.log.2'])
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).size).toBeLessThanOrEqual(1000)
    expect(await read(3)).toEqual(['line 497', 'line 498', 'line 499'])
    const [first, ...all] = await read(1000)
    expect(first).toMatch(/^\d{4,} bytes before this are no longer kept$/)
    expect(all).toEqual(Array.from({ length: all.length }, (_, n) => `line ${500 - all.length + n}`))
  })

  it('go on where an earlier process stopped', async () => {
    for (const n of [1, 2]) {
      await using writer = createLogWriter(dir, 'run', { maxBytes: 1000, keep: 2 })
      await writer.write(formatLine('out', n, `process ${n}`))
    }
    expect(await read(10)).toEqual(['process 1', 'process 2'])
    expect(await lastWritten(dir, 'run')).toBe('2')
  })

  it('keep the order in which one writer wrote them, whatever clock their times are of', async () => {
    await using run = createLogWriter(dir, 'run', { maxBytes: 1000, keep: 2 })
    await using node = createLogWriter(dir, 'node', { maxBytes: 1000, keep: 2 })
    // a node that was late read the first two; the engine, which saw the third earlier, kept the others
    for (const [at, line] of [
      [30, 'a'],
      [31, 'b'],
      ['12.5', 'c'],
      [40, 'd'],
    ] as const)
      await run.write(formatLine('out', at, line))
    await node.write(formatLine('node', 35, 'between'))
    expect(await read(10)).toEqual(['a', 'b', 'c', 'between', 'd'])
  })

  it('of both writers are read in the order of their times', async () => {
    await using run = createLogWriter(dir, 'run', { maxBytes: 1000, keep: 2 })
    await using node = createLogWriter(dir, 'node', { maxBytes: 1000, keep: 2 })
    await run.write(formatLine('out', 10, 'b') + formatLine('out', 30, 'd'))
    await node.write(formatLine('node', 5, 'a') + formatLine('node', 20, 'c'))
    expect(await read(10)).toEqual(['a', 'b', 'c', 'd'])
    expect(await read(0)).toEqual([])
  })

  it('are followed over the turn, until the end', async () => {
    const clock = manualClock()
    await using writer = createLogWriter(dir, 'run', { maxBytes: 2000, keep: 3 })
    await writer.write(formatLine('out', 0, 'before'))
    let [ended, over] = [false, false]
    const seen: string[] = []
    const following = (async () => {
      for await (const { line } of readLogs(dir, { tail: 10, follow: true, keep: 3, ended: () => ended, clock }))
        seen.push(line)
      over = true
    })()
    // as long as the reader looks before files have turned over twice
    const caughtUp = (lines: number) =>
      expect.poll(() => clock.advance(500).then(() => seen.length), { timeout: 45_000, interval: 1 }).toBe(lines)
    await caughtUp(1)
    for (let n = 0; n < 300; n++) {
      await writer.write(formatLine('out', n, `line ${n}`))
      if (n % 50 === 49) await caughtUp(n + 2)
    }
    ended = true
    // the reader may be in the middle of a look at the files when the clock goes on
    await expect.poll(() => clock.advance(500).then(() => over), { timeout: 45_000, interval: 1 }).toBe(true)
    await following
    expect(seen).toEqual(['before', ...Array.from({ length: 300 }, (_, n) => `line ${n}`)])
  })

  it('are followed line by line as they are written, without a look at the clock', async () => {
    await using writer = createLogWriter(dir, 'run', { maxBytes: 2000, keep: 3 })
    const lines = readLogs(dir, { tail: 0, follow: true, keep: 3, ended: () => false, clock: manualClock() })
    for (const line of ['first', 'second', 'third']) {
      const next = lines.next()
      await writer.write(formatLine('out', 0, line))
      expect(await next).toMatchObject({ value: { line } })
    }
    await lines.return(undefined)
  })

  it('end when the reader has had enough', async () => {
    const enough = new AbortController()
    const options = { tail: 10, follow: true, keep: 3, ended: () => false, clock, signal: enough.signal }
    const all = (async () => {
      for await (const line of readLogs(dir, options)) throw new Error(line.line)
    })()
    enough.abort()
    await all
  })

  it('take no more a second than they may', async () => {
    const clock = manualClock()
    let [sent, waits, stopped] = [0, 0, false]
    async function* flood() {
      while (!stopped) {
        sent += 65536
        yield Buffer.alloc(65536, `${'x'.repeat(63)}\n`)
      }
    }
    const after: typeof clock.after = (ms, callback) => {
      waits++
      return clock.after(ms, callback)
    }
    await using writer = createLogWriter(dir, 'run', { maxBytes: 2 ** 25, keep: 1 })
    const pump = pumpOutput(flood(), 'out', { writer, clock: { ...clock, after } })
    while (clock.monotonic() < 1000) {
      const before = waits
      await clock.advance(50)
      await expect.poll(() => waits, { timeout: 45_000, interval: 1 }).toBeGreaterThan(before)
    }
    expect(sent).toBeGreaterThan(LOG_BURST_BYTES / 2)
    expect(sent).toBeLessThan(LOG_BURST_BYTES + LOG_BYTES_PER_SECOND)
    stopped = true
    await clock.advance(60_000)
    await pump
  })
})
