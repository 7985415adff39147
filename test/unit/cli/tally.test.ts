import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { createOutput } from '../../../src/cli/output/output.ts'
import { createReceiptTracker } from '../../../src/cli/publishing/receipt-tracker.ts'

test('the sum says of each node what its line said', () => {
  const sink = { write: () => true, isTTY: false }
  const out = createOutput({ stdout: sink, stderr: sink, json: false, clock: manualClock() })
  const tally = createReceiptTracker(out)
  const reason = (rule: string) => [{ rule, outcome: 'defer' as const, message: '' }]
  const answers = [
    ['a', 'accepted', []],
    ['b', 'accepted', reason('run:health')],
    ['c', 'accepted', reason('run:restart')],
    ['d', 'accepted', reason('run:restart')],
  ] as const
  for (const [peerId, state, reasons] of answers) {
    tally.take({ peerId, node: peerId, state, reasons, redirected: false, at: 1 })
  }
  expect(tally.summary()).toBe('1 will run it, 1 starts it and 2 starts it again')
})
