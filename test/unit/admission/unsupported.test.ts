import { expect, test } from 'vitest'
import { unsupportedReason } from '../../../src/admission/plan/unsupported.ts'

const run = { command: ['a'], kind: 'task' as const }

test.each([['run.outputs', { ...run, outputs: ['out'] }]])(
  '%s is refused in plain words until it is done',
  (field, asked) => {
    expect(unsupportedReason(asked)).toMatchObject({ outcome: 'fail', message: expect.stringContaining(field) })
  },
)

test('any other run is not', () => {
  expect(unsupportedReason(run)).toBeUndefined()
})
