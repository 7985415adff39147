import { expect, it } from 'vitest'
import { createCodeLease } from '../../../../src/execution/supervisor/code-lease.ts'
import type { ObtainedCode } from '../../../../src/execution/supervisor/types.ts'
import { serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'

const OPTIONS = { signal: new AbortController().signal, diskBytes: 1, onProgress: () => {} }

it.each([
  ['the adopted run', [0, 1]],
  ['its next start', [1, 0]],
] as const)('holds the code once where %s gets it first', async (_first, order) => {
  const asked: PromiseWithResolvers<ObtainedCode>[] = []
  let held = 0
  const code = {
    obtain() {
      const one = Promise.withResolvers<ObtainedCode>()
      asked.push(one)
      return one.promise
    },
  }
  const lease = createCodeLease({ code }, { service: serviceOf('a') })
  lease.retain(OPTIONS.signal)
  const obtained = lease.obtain(OPTIONS)
  for (const n of order) {
    held++
    asked[n]?.resolve({ dir: '/code', release: async () => void held-- })
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect([await obtained, held]).toEqual(['/code', 1])
  await lease[Symbol.asyncDispose]()
  expect(held).toBe(0)
})
