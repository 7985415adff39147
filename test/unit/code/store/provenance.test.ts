import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createCodeStore } from '../../../../src/code/store/store.ts'
import { MIB, packFiles, testComponents } from '../../../fixtures/code/stores.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

test('where code came from is known after a restart, and unknown where the note is damaged', async () => {
  const clock = manualClock()
  const components = { ...testComponents(), clock }
  const init = { dir: await tempDir(), maxBytes: 64 * MIB }
  const store = await createCodeStore(components, init)
  const startedAt = clock.monotonic()
  await clock.advance(1500)
  const { code } = await store.addTar(packFiles([{ path: 'a', content: 'x' }]), {
    from: 'https',
    source: 'https://host/a.tar',
    startedAt,
  })
  const provenance = { from: 'https', source: 'https://host/a.tar', at: clock.now(), ms: 1500 }
  const again = async () => (await createCodeStore(components, init)).provenance(code)
  expect([store.provenance(code), store.list()[0]?.provenance, await again()]).toEqual(Array(3).fill(provenance))
  await writeFile(join(init.dir, 'codes', code.toString(), 'provenance'), '{"from":"ht')
  expect(await again()).toBeUndefined()
})
