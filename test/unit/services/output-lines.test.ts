import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { receiptLine } from '../../../src/cli/publishing/receipt-tracker.ts'
import { lastLinesOf } from '../../../src/services/output-lines.ts'
import { outputReasons } from '../../../src/services/run-reasons.ts'

const frames = Array.from({ length: 12 }, (_, index) => `    at f${index} (/code/server.js:${index}:1)`)

it.each([
  ['Error: boom', ['throw new Error("boom")', '^', ''], ['', 'Node.js v26.10.0']],
  ['TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument', [], ['  code: 1', '}']],
  ['java.lang.IllegalStateException: no', ['start'], []],
  ['panic: runtime error: index out of range', [], ['exit status 2']],
  ["thread 'main' (7) panicked at src/main.rs:2:5:", [], ['boom']],
  ["main.rb:1:in 'Object#x': no (NameError)", [], []],
  ['PHP Fatal error:  Uncaught Exception: no in /code/a.php:3', [], ['  thrown in /code/a.php on line 3']],
  ['error: relation "visits" does not exist', [], []],
])('of a long stack, the line %j stays among the last lines', (named, before, after) => {
  const written = ['listening', ...before, named, ...frames, ...after]
  const lines = lastLinesOf(written, 4)
  expect(lines).toHaveLength(4)
  expect(lines.slice(0, 2)).toEqual([named, frames[0]])
  expect(lines.at(-1)).toBe(written.at(-1))
})

it('without such a line, or where it is among them anyway, the last lines are those at the end', () => {
  expect(lastLinesOf([...frames, '', 'bye'], 2)).toEqual([frames.at(-1), 'bye'])
  expect(lastLinesOf(['a', 'Traceback (most recent call last):', 'ValueError: b'], 2)).toEqual([
    'Traceback (most recent call last):',
    'ValueError: b',
  ])
  expect(lastLinesOf(['x'.repeat(1_000_000)], 1)).toHaveLength(1)
})

it("a publisher's line about a crash names the error of Node's own trace", () => {
  const crash = 'function f(n) { if (n === 0) JSON.parse("{"); else f(n - 1) }; f(20)'
  const { stderr } = spawnSync(process.execPath, ['-e', crash], { encoding: 'utf8' })
  const receipt = { state: 'failed', redirected: false, reasons: outputReasons(stderr.split('\n')) }
  expect(receiptLine({ ...receipt, node: '', peerId: '', at: 0 }, 'a')).toMatch(/it wrote "SyntaxError: .*JSON/)
})
