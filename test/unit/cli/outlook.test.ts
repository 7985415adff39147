import { describe, expect, it } from 'vitest'
import { outlook } from '../../../src/cli/publishing/outlook.ts'
import type { ReceiptView } from '../../../src/node/types.ts'

let number = 0
const from = (state: string, more: Partial<ReceiptView> = {}): ReceiptView => ({
  node: 'n',
  peerId: `p${number++}`,
  state,
  redirected: false,
  reasons: [],
  at: 1,
  ...more,
})
const failing = (restarts: number) =>
  from('accepted', {
    reasons: [
      { rule: 'run:exit', outcome: 'fail', message: 'exit code 1' },
      { rule: 'run:restart', outcome: 'defer', message: `restart ${restarts}: it failed` },
    ],
  })

describe('what --wait comes to', () => {
  it.each([
    ['nobody answered', [], 60_000, undefined],
    ['as many are healthy as wanted', [from('running'), from('refused')], 0, 'healthy'],
    ['a task is done', [from('done')], 0, 'healthy'],
    ['one may still run it', [from('failed'), from('accepted')], 60_000, undefined],
    ['one waits for room', [from('refused'), from('parked')], 60_000, undefined],
    ['all refused, just now', [from('refused')], 100, undefined],
    ['all refused', [from('refused'), from('refused')], 2_500, 'refused'],
    ['it was passed on: nodes further away may answer', [from('redirected')], 2_500, undefined],
    ['nobody further away answered', [from('redirected')], 7_000, 'refused'],
    ['it failed, and others refused', [from('failed'), from('refused')], 2_500, 'failed'],
    ['it ended twice, and may come up yet', [failing(2)], 60_000, undefined],
    ['it ends again and again', [failing(3)], 2_500, 'failed'],
  ] as const)('%s', (_, answers, quietMs, outcome) => {
    expect(outlook({ answers: [...answers], replicas: 1, quietMs })).toBe(outcome)
  })

  it('all neighbours have answered: nothing is waited for', () => {
    const answers = [from('failed'), from('refused')]
    expect(outlook({ answers, replicas: 1, quietMs: 0, neighbours: 2 })).toBe('failed')
    expect(outlook({ answers, replicas: 1, quietMs: 0, neighbours: 3 })).toBeUndefined()
    expect(outlook({ answers, replicas: 1, quietMs: 0, neighbours: 0 })).toBeUndefined()
  })
})
