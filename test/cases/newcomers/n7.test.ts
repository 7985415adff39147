import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRuntimeDir } from '../../../src/config/runtime-dir.ts'

describe('N7: a TMPDIR that is too long for sockets', () => {
  it('is not used: the node falls back to a folder that fits', async () => {
    const name = `test-${process.pid}`
    const path = await openRuntimeDir({ tmp: join('/tmp', 'x'.repeat(110)) }, name)
    expect(Buffer.byteLength(path)).toBeLessThan(87)
    expect(path.endsWith(name)).toBe(true)
    await rm(path, { recursive: true })
  })

  it('an XDG_RUNTIME_DIR that is too long is not used either', async () => {
    const name = `test-x-${process.pid}`
    const path = await openRuntimeDir({ xdg: join('/tmp', 'x'.repeat(110)), tmp: '/tmp' }, name)
    expect(Buffer.byteLength(path)).toBeLessThan(87)
    await rm(path, { recursive: true })
  })
})
