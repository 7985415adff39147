import { expect, test } from 'vitest'
import { MAX_ARCHIVE_ANSWER_BYTES } from '../../../../protocols/limits.ts'
import { createBufferPool } from '../../../../src/code/store/buffer-pool.ts'

const LONG = MAX_ARCHIVE_ANSWER_BYTES

test('memory that is given back is used again, by another fetch too', () => {
  const pool = createBufferPool(2)
  using first = pool.lease()
  const view = first.take(LONG)
  first.give(view.subarray(10))
  using second = pool.lease()
  expect(second.take(LONG - 1).buffer).toBe(view.buffer)
  expect(second.take(LONG).buffer).not.toBe(view.buffer)
})

test('what one provider holds is never handed to another, whoever gives it back', () => {
  const pool = createBufferPool(2)
  const first = pool.lease()
  using second = pool.lease()
  const view = first.take(LONG)
  second.give(view)
  expect(second.take(LONG).buffer).not.toBe(view.buffer)
  first[Symbol.dispose]()
  first.give(view)
  first.give(view)
  expect(second.take(LONG).buffer).not.toBe(view.buffer)
})

test('no more is kept than allowed', () => {
  const pool = createBufferPool(1)
  using buffers = pool.lease()
  const views = [buffers.take(LONG), buffers.take(LONG)]
  for (const view of views) buffers.give(view)
  const again = [buffers.take(LONG), buffers.take(LONG)].map((view) => view.buffer)
  expect(again.filter((buffer) => views.some((view) => view.buffer === buffer))).toHaveLength(1)
})

test('a small message has memory of its own', () => {
  const pool = createBufferPool(1)
  using buffers = pool.lease()
  const view = buffers.take(10)
  buffers.give(view)
  expect(buffers.take(10).buffer).not.toBe(view.buffer)
})
