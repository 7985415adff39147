import { once } from 'node:events'
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { manualClock } from '../../../src/base/clock.ts'
import { watchCode } from '../../../src/runner/code-watcher.ts'
import { SAVE_DEBOUNCE_MS } from '../../../src/runner/constants.ts'

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
