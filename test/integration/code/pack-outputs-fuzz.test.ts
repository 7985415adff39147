import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { messageOf } from '../../../src/base/errors.ts'
import { packOutputs } from '../../../src/code/index.ts'
import { forAllAsync } from '../../fixtures/property.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { mutated } from '../../unit/code/outputs/hostile-left-tars.ts'

const LIMITS = { maxBytes: 2 ** 20, maxEntries: 100 }

async function* left(tar: Uint8Array) {
  yield {
    path: 'out',
    tar: (async function* () {
      yield tar
    })(),
  }
}

test('a tar that is changed anywhere is packed or refused in one sentence, and nothing beside the archive is written', async () => {
  const base = await tempDir()
  let tries = 0
  await forAllAsync(24, [mutated], async (tar) => {
    const dir = join(base, `${tries++}`)
    await mkdir(dir)
    const before = await readFile('/etc/passwd')
    const packed = await packOutputs({ clock: systemClock() }, left(tar), { dir, ...LIMITS }).catch(messageOf)
    if (typeof packed === 'string') expect(packed).toMatch(/^[^\n]{5,400}$/)
    const written = await readdir(dir)
    const isPacked = typeof packed !== 'string' && packed.code !== undefined
    if (isPacked) expect(written.sort()).toEqual(['manifest', 'tar'])
    // of one that is refused no manifest is there, without which a tar is no archive
    else expect(written.filter((name) => name !== 'tar')).toEqual([])
    expect((await readdir(base)).length).toBe(tries)
    expect((await readFile('/etc/passwd')).equals(before)).toBe(true)
  })
}, 120_000)
