import { expect, test } from 'vitest'
import { drive } from '../../../src/simulation/process/drive.ts'

const rethrow = (error: unknown) => {
  throw error
}

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
  expect(await drive(globals, work, rethrow)).toBe('done')
  expect(beyond).toBe(false)
})

test('work that waits for what cannot come is an error, and so is its own', async () => {
  await expect(drive(timersOf().globals, () => new Promise(() => {}), rethrow)).rejects.toThrow('stands still')
  await expect(drive(timersOf().globals, () => Promise.reject(new Error('its own')), rethrow)).rejects.toThrow(
    'its own',
  )
})

test('what a timer throws is told, and time goes on', async () => {
  const { globals, after } = timersOf()
  const thrown: unknown[] = []
  const work = async () => {
    after(() => rethrow(new Error('of a timer')))
    await new Promise<void>((resolve) => after(resolve))
    return 'done'
  }
  expect(await drive(globals, work, (error) => void thrown.push(error))).toBe('done')
  expect(thrown).toEqual([new Error('of a timer')])
})
