import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { openProcess } from '../../../src/cli/process.ts'

function fakeProcess() {
  const self = Object.assign(new EventEmitter(), { stdout: new EventEmitter(), stderr: new EventEmitter() })
  const clock = manualClock()
  const outside = openProcess(self as unknown as NodeJS.Process, { came: false, notify: undefined }, clock)
  return { self, clock, outside }
}

test.each(['SIGINT', 'SIGTERM'])(
  'a second %s at once is the same one, and a later one is left to the system',
  async (name) => {
    const { self, clock, outside } = fakeProcess()
    self.emit(name)
    expect(outside.signal.aborted).toBe(true)
    // with a listener, it does not end the process
    expect(self.listenerCount(name)).toBe(1)
    await clock.advance(999)
    expect(self.listenerCount(name)).toBe(1)
    await clock.advance(1)
    expect([self.listenerCount('SIGINT'), self.listenerCount('SIGTERM')]).toEqual([0, 0])
  },
)

test('nothing is listened to when it is over', () => {
  const { self, outside } = fakeProcess()
  self.emit('SIGINT')
  outside[Symbol.dispose]()
  expect([self.listenerCount('SIGINT'), self.listenerCount('SIGTERM'), self.listenerCount('disconnect')]).toEqual([
    0, 0, 0,
  ])
})
