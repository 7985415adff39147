import { expect, it, vi } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { stopWhenIdle } from '../../../../src/execution/docker/output/idle-limit.ts'

it('reads the output of a container that has ended as long as some of it comes', async () => {
  const clock = manualClock(0)
  const writer = { writtenBytes: 5 }
  const output = { stop: vi.fn() }
  using _limit = stopWhenIdle(output, { writer, clock })
  for (let n = 0; n < 10; n++) {
    writer.writtenBytes += 1
    await clock.advance(30_000)
  }
  expect(output.stop).not.toHaveBeenCalled()
  await clock.advance(30_000)
  expect(output.stop).toHaveBeenCalledOnce()
})
