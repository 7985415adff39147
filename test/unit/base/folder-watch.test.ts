import { getEventListeners } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { watchFolder } from '../../../src/base/os/folder-watch.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

it('says what changes at once, and what changed meanwhile, without the clock', async () => {
  const dir = await tempDir()
  using watch = watchFolder(manualClock(), dir)
  const waiting = watch.change(1000)
  await writeFile(join(dir, 'a'), 'a')
  await waiting
  await writeFile(join(dir, 'b'), 'b')
  await watch.change(1000)
})

it('goes on after its time where nothing changes, and keeps nothing of a signal', async () => {
  const clock = manualClock()
  const { signal } = new AbortController()
  using watch = watchFolder(clock, await tempDir())
  for (let look = 0; look < 5; look++) {
    const waiting = watch.change(1000, signal)
    await clock.advance(1000)
    await waiting
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('ends a wait with its signal', async () => {
  const ending = new AbortController()
  using watch = watchFolder(manualClock(), await tempDir())
  const waiting = watch.change(1000, ending.signal)
  ending.abort()
  await waiting
})

it('watches a folder that comes later', async () => {
  const dir = join(await tempDir(), 'later')
  using watch = watchFolder(manualClock(), dir)
  await mkdir(dir)
  await watch.change(1000)
  const waiting = watch.change(1000)
  await writeFile(join(dir, 'a'), 'a')
  await waiting
})
