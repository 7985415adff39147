import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createEvents } from '../../../../src/base/events.ts'
import type { IntakeEvents } from '../../../../src/intake/index.ts'
import { createPublishedPins } from '../../../../src/publishing/published-pins.ts'
import { packFiles } from '../../../fixtures/code/stores.ts'
import { testNodeCode } from '../../../fixtures/node/node-code.ts'

test('code that was published here stays until its author stops the service, and no longer', async () => {
  const { nodeCode, store, addTar } = await testNodeCode()
  const { code } = await addTar(packFiles([{ path: 'main.js', content: 'hello' }]))
  const clock = manualClock()
  const events = createEvents<IntakeEvents>()
  let [live, reads] = [[] as string[], 0]
  const liveCodes = () => {
    reads++
    return live
  }
  using pins = createPublishedPins({ clock, events, code: { store }, journal: { published: { liveCodes } } })
  live = [code.toString()]
  pins.hold(code.toString())
  expect(await nodeCode.gc()).toEqual([])
  // a service that is published reads nothing of the others
  expect(reads).toBe(1)
  live = []
  events.emit('intake:stopped', { author: 'A', name: 'web', seq: 2, ids: ['id-web'] })
  expect(await nodeCode.gc()).toMatchObject([{ code: code.toString() }])
})
