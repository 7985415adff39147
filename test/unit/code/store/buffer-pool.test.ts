import { expect, test } from 'vitest'
import { MAX_ARCHIVE_ANSWER_BYTES } from '../../../../protocols/limits.ts'
import { createBufferPool } from '../../../../src/code/store/buffer-pool.ts'

const LONG = MAX_ARCHIVE_ANSWER_BYTES

test('memory that is given back is used again, by another fetch too', () => {
  const pool = createBufferPool(2)
  using first = pool.lease()
  const view = first.acquire(LONG)
  first.release(view.subarray(10))
  using second = pool.lease()
  expect(second.acquire(LONG - 1).buffer).toBe(view.buffer)
  expect(second.acquire(LONG).buffer).not.toBe(view.buffer)
})

test('what one provider holds is never handed to another, whichever gives it back', () => {
  const pool = createBufferPool(2)
  const first = pool.lease()
  using second = pool.lease()
  const view = first.acquire(LONG)
  second.release(view)
  expect(second.acquire(LONG).buffer).not.toBe(view.buffer)
  first[Symbol.dispose]()
  first.release(view)
  first.release(view)
  expect(second.acquire(LONG).buffer).not.toBe(view.buffer)
})

test('no more is kept than allowed', () => {
  const pool = createBufferPool(1)
  using buffers = pool.lease()
  const views = [buffers.acquire(LONG), buffers.acquire(LONG)]
  for (const view of views) buffers.release(view)
  const again = [buffers.acquire(LONG), buffers.acquire(LONG)].map((view) => view.buffer)
  expect(again.filter((buffer) => views.some((view) => view.buffer === buffer))).toHaveLength(1)
})

test('a small message has memory of its own', () => {
  const pool = createBufferPool(1)
  using buffers = pool.lease()
  const view = buffers.acquire(10)
  buffers.release(view)
  expect(buffers.acquire(10).buffer).not.toBe(view.buffer)
})
