import { once } from 'node:events'
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { watchCode } from '../../../src/runner/code-watcher.ts'
import { SAVE_DEBOUNCE_MS } from '../../../src/runner/constants.ts'
import { waitedForCpuMs } from '../../../src/runner/resident-memory.ts'
import { createWatchdog } from '../../../src/runner/watchdog.ts'

it('a runner is left alone when a test or the settings beside it are saved', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'thundercloud-watcher-'))
  const clock = manualClock()
  const onSaved: string[] = []
  // sees what the watched one sees, in the same turn
  const seen = watch(dir)
  const watched = watchCode(
    clock,
    dir,
    () => onSaved.push('saved'),
    (error) => expect.fail(error.message),
  )
  const save = async (name: string) => {
    const changed = once(seen, 'change')
    writeFileSync(join(dir, name), 'x')
    await changed
    await new Promise(setImmediate)
    await clock.advance(2 * SAVE_DEBOUNCE_MS)
  }
  try {
    for (const name of ['runner.test.js', 'config.json', 'README.md', '.hidden']) {
      await save(name)
      expect(onSaved, name).toEqual([])
    }
    await save('runner.mjs')
    expect(onSaved).toEqual(['saved'])
  } finally {
    watched[Symbol.dispose]()
    seen.close()
    rmSync(dir, { recursive: true })
  }
})

/** Looks at a process that says nothing, until it is blamed; answers after how long that was. */
async function blamedAfter(waitedOf: (elapsedMs: number) => number): Promise<number> {
  const clock = manualClock()
  let blamed: number | undefined
  using _dog = createWatchdog(clock, {
    pid: process.pid,
    timeoutMs: 800,
    residentBytes: Number.POSITIVE_INFINITY,
    busy: () => true,
    onFailure: () => {
      blamed ??= clock.monotonic()
    },
    waitedMs: async () => waitedOf(clock.monotonic()),
  })
  while (blamed === undefined && clock.monotonic() < 10_000) {
    await clock.advance(100)
    // a look reads files, too
    await new Promise((resolve) => setImmediate(resolve))
  }
  return blamed ?? Number.POSITIVE_INFINITY
}

it('the time that a decision may take: passes for a process that hangs, by computing or by waiting', async () => {
  expect(await blamedAfter(() => 0)).toBeLessThan(1200)
})

it('the time that a decision may take: does not pass while no processor is free for it, within bounds', async () => {
  const half = await blamedAfter((elapsed) => elapsed / 2)
  expect(half).toBeGreaterThan(1500)
  expect(half).toBeLessThan(2000)
  const never = await blamedAfter((elapsed) => elapsed)
  expect(never).toBeGreaterThan(4000)
  expect(never).toBeLessThan(4500)
})

it.runIf(process.platform === 'linux')('the time that a decision may take: is limited by the system', async () => {
  expect(await waitedForCpuMs(process.pid)).toBeGreaterThan(0)
  expect(await waitedForCpuMs(2 ** 22 + 1)).toBe(0)
})
