import { expect, it } from 'vitest'
import { cidOfBytes } from '../../../../protocols/encoding.ts'
import { createCodeLease } from '../../../../src/execution/supervisor/code-lease.ts'
import { serviceOf } from '../../../fixtures/execution/supervisor-harness.ts'

const OPTIONS = { signal: new AbortController().signal, diskBytes: 1, onProgress: () => {} }
const IMAGE = cidOfBytes(Buffer.from('{}')).toString()

function counted() {
  const count = { obtained: 0, held: 0, kept: 0 }
  const code = {
    async obtain() {
      count.obtained++
      count.held++
      return { dir: '/code', release: async () => void count.held-- }
    },
    keep() {
      count.kept++
      return { [Symbol.dispose]: () => void count.kept-- }
    },
  }
  return { code, count }
}

it('asks for the code once, and lets go of it in the end', async () => {
  const { code, count } = counted()
  const lease = createCodeLease({ code }, { service: serviceOf('a'), hasBegun: false })
  for (const _ of [1, 2]) expect(await lease.obtain(OPTIONS)).toBe('/code')
  expect(count).toEqual({ obtained: 1, held: 1, kept: 0 })
  await lease[Symbol.asyncDispose]()
  expect(count).toMatchObject({ held: 0, kept: 0 })
})

it.each([
  ['keeps that of a run that an earlier process began, and looks for it at the next start alone', serviceOf('a'), 1],
  ['keeps no image, which the engine has', serviceOf('a', {}, { code: IMAGE }), 0],
])('%s', async (_, service, kept) => {
  const { code, count } = counted()
  const lease = createCodeLease({ code }, { service, hasBegun: true })
  expect(count).toEqual({ obtained: 0, held: 0, kept })
  await lease.obtain(OPTIONS)
  await lease[Symbol.asyncDispose]()
  expect(count).toMatchObject({ held: 0, kept: 0 })
})
