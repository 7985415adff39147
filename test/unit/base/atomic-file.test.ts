import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { replaceFile } from '../../../src/base/atomic-file.ts'
import { InputError } from '../../../src/base/errors.ts'

function folder(): { path: string; at(name: string): string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tc-replace-'))
  return { path, at: (name) => join(path, name), [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

describe('a file is replaced', () => {
  test('the one before is kept beside it, both with the mode that it had', async () => {
    using dir = folder()
    writeFileSync(dir.at('config.json'), 'old')
    chmodSync(dir.at('config.json'), 0o640)
    await replaceFile(dir.at('config.json'), 'new')
    expect(readFileSync(dir.at('config.json'), 'utf8')).toBe('new')
    expect(readFileSync(dir.at('config.json.previous'), 'utf8')).toBe('old')
    for (const name of readdirSync(dir.path)) expect(statSync(dir.at(name)).mode & 0o777).toBe(0o640)
    expect(readdirSync(dir.path).sort()).toEqual(['config.json', 'config.json.previous'])
  })

  test('and can be put back', async () => {
    using dir = folder()
    writeFileSync(dir.at('config.json'), 'old')
    const { undo } = await replaceFile(dir.at('config.json'), 'new')
    await undo()
    expect(readFileSync(dir.at('config.json'), 'utf8')).toBe('old')
  })

  test('a file that says it already is left alone, and so is the one before', async () => {
    using dir = folder()
    writeFileSync(dir.at('config.json'), 'old')
    await replaceFile(dir.at('config.json'), 'new')
    const { ino } = statSync(dir.at('config.json'))
    await (await replaceFile(dir.at('config.json'), 'new')).undo()
    expect(statSync(dir.at('config.json')).ino).toBe(ino)
    expect(readFileSync(dir.at('config.json.previous'), 'utf8')).toBe('old')
  })

  test('behind a link, the file is replaced and the link stays', async () => {
    using dir = folder()
    writeFileSync(dir.at('real.json'), 'old')
    symlinkSync('real.json', dir.at('config.json'))
    await replaceFile(dir.at('config.json'), 'new')
    expect(readFileSync(dir.at('real.json'), 'utf8')).toBe('new')
    expect(readdirSync(dir.path).sort()).toEqual(['config.json', 'real.json', 'real.json.previous'])
  })

  test('where none was, there is one, and none again when it is put back', async () => {
    using dir = folder()
    const { undo } = await replaceFile(dir.at('config.json'), 'new')
    expect(readFileSync(dir.at('config.json'), 'utf8')).toBe('new')
    await undo()
    expect(readdirSync(dir.path)).toEqual([])
  })

  test('a place that cannot be written is one sentence', async () => {
    using dir = folder()
    await expect(replaceFile(dir.at('none/config.json'), 'new')).rejects.toThrow(InputError)
    await expect(replaceFile(dir.at('none/config.json'), 'new')).rejects.toThrow(/cannot be replaced: ENOENT/)
  })
})
