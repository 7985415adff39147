import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Key } from 'interface-datastore'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../../src/base/log.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openDatastore } from '../../../src/network/host/datastore.ts'

describe('S2: a database of peers that was overwritten', () => {
  it('is set aside with one line, and begun again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tc-s2-'))
    try {
      const data = join(dir, 'network')
      const key = new Key('/peers/one')
      {
        await using opened = await openDatastore(data, { log: silentLog() })
        await opened.store.put(key, new Uint8Array([1]))
      }
      for (const name of await readdir(data)) {
        if (/^(MANIFEST|CURRENT|.*\.(log|ldb))/.test(name)) await writeFile(join(data, name), 'ruined by somebody')
      }
      const lines: string[] = []
      const log: Log = { ...silentLog(), warn: (message) => void lines.push(message) }
      await using opened = await openDatastore(data, { log })
      expect(lines).toEqual(['the records of peers could not be read: they are set aside, and begun again'])
      expect(await opened.store.has(key)).toBe(false)
      expect((await readdir(dir)).sort()).toEqual(['network', 'network.ruined'])
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('is left alone while another node has it open', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tc-s2-'))
    try {
      const data = join(dir, 'network')
      await using _first = await openDatastore(data, { log: silentLog() })
      await expect(openDatastore(data, { log: silentLog() })).rejects.toThrow()
      expect(await readdir(dir)).toEqual(['network'])
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })
})
