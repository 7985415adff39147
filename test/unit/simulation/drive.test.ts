import { expect, test } from 'vitest'
import { drive } from '../../../src/simulation/process/drive.ts'

/** Timers that fire one after another, where they are asked to. */
function timersOf() {
  const timers: (() => void)[] = []
  const globals = {
    fireNext() {
      const timer = timers.shift()
      timer?.()
      return timer !== undefined
    },
    drained: () => new Promise<void>((resolve) => setImmediate(resolve)),
    seed() {},
  }
  return { globals, after: (callback: () => void) => void timers.push(callback) }
}

test('time passes until the work is done, and not beyond', async () => {
  const { globals, after } = timersOf()
  let beyond = false
  const work = async () => {
    await new Promise<void>((resolve) => after(resolve))
    await new Promise<void>((resolve) => after(resolve))
    after(() => {
      beyond = true
    })
    return 'done'
  }
  expect(await drive(globals, work)).toBe('done')
  expect(beyond).toBe(false)
})

test('work that waits for what cannot come is an error, and so is its own', async () => {
  await expect(drive(timersOf().globals, () => new Promise(() => {}))).rejects.toThrow('stands still')
  await expect(drive(timersOf().globals, () => Promise.reject(new Error('its own')))).rejects.toThrow('its own')
})
