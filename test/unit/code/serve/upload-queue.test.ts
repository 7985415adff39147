import { describe, expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createUploadQueue } from '../../../../src/code/serve/upload-queue.ts'
import { MIB } from '../../../fixtures/code/stores.ts'
import { promiseState } from '../fetch-fixtures.ts'

function uploads() {
  const clock = manualClock()
  const queue = createUploadQueue(clock)
  const take = (peer: string, chunk: string) => queue.take({ peer, chunk, bytes: MIB }, {})
  /** Takes a place and gives it back after so long. */
  async function send(peer: string, chunk: string, ms: number): Promise<string | undefined> {
    const slot = await take(peer, chunk)
    if (slot === undefined) return undefined
    await clock.advance(ms)
    slot[Symbol.dispose]()
    return chunk
  }
  return { clock, take, send }
}

describe('the order in which chunks are sent', () => {
  test('what was sent least often goes first, whoever asked first', async () => {
    const { take, send } = uploads()
    for (const chunk of ['a', 'a', 'b']) await send('x', chunk, 1)
    const held = [await take('x', 'z'), await take('x', 'z')]
    const order: string[] = []
    for (const chunk of ['a', 'b', 'c']) {
      void take('y', chunk).then((slot) => {
        order.push(chunk)
        slot?.[Symbol.dispose]()
      })
    }
    held[0]?.[Symbol.dispose]()
    await expect.poll(() => order).toEqual(['c', 'b', 'a'])
  })

  test('a chunk that waits for long is refused, and another that leaves makes room', async () => {
    const { clock, take } = uploads()
    const held = [await take('x', 'a'), await take('x', 'b')]
    const late = take('y', 'c')
    await clock.advance(200)
    expect(await late).toBeUndefined()
    held[1]?.[Symbol.dispose]()
    expect(await promiseState(take('y', 'c'))).toBe('resolved')
  })

  test('a peer that takes a chunk slowly keeps others waiting once', async () => {
    const { clock, take } = uploads()
    const stalled = await Promise.all([take('slow', 'a'), take('slow', 'b')])
    expect(await promiseState(take('fast', 'a'))).toBe('pending')
    await clock.advance(5_000)
    for (const chunk of ['c', 'd', 'e']) expect(await take('slow', chunk)).toBeDefined()
    expect(await promiseState(take('fast', 'a'))).toBe('resolved')
    for (const slot of stalled) slot?.[Symbol.dispose]()
  })

  test.each([
    ['receivers are slower than this node', 8, (active: number) => active],
    ['two receivers fill the way out', 3, () => 2],
  ])('as many are sent at once as the way out carries: %s', async (_, most, carried) => {
    const { clock, take } = uploads()
    const active = new Set<{ left: number; slot: Disposable }>()
    let waiting = 0
    let seen = 0
    for (let tick = 0; tick < 4_000; tick++) {
      while (waiting < 12) {
        waiting++
        void take(`peer-${tick % 30}`, `chunk-${tick}`).then((slot) => {
          waiting--
          if (slot !== undefined) active.add({ left: 100, slot })
        })
      }
      await clock.advance(10)
      if (tick > 1_000) seen = Math.max(seen, active.size)
      for (const upload of active) {
        upload.left -= (10 * carried(active.size)) / active.size
        if (upload.left <= 0 && active.delete(upload)) upload.slot[Symbol.dispose]()
      }
    }
    if (most > 3) expect(seen).toBeGreaterThanOrEqual(most)
    else expect(seen).toBeLessThanOrEqual(most)
  })
})
