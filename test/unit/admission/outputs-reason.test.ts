import { expect, test } from 'vitest'
import { outputsReason } from '../../../src/admission/plan/outputs-reason.ts'

test('a task that leaves something is refused in plain words where nothing of it would be kept', () => {
  expect(outputsReason({ outputs: ['out'] }, 0)).toMatchObject({
    outcome: 'fail',
    message: expect.stringMatching(/run\.outputs.*LIMITS\.RESULTS\.BYTES/),
  })
})

test.each([
  [{ outputs: ['out'] }, 1],
  [{}, 0],
])('any other run is not: %o, %i bytes', (run, bytes) => {
  expect(outputsReason(run, bytes)).toBeUndefined()
})
