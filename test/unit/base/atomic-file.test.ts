import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { replaceFile } from '../../../src/base/atomic-file.ts'
import { InputError } from '../../../src/base/errors.ts'

const test = base.extend('dir', ({ onTestFinished }) => {
  const path = fs.mkdtempSync(join(tmpdir(), 'tc-replace-'))
  onTestFinished(() => fs.rmSync(path, { recursive: true }))
  const at = (name: string) => join(path, name)
  return {
    at,
    read: (name: string) => fs.readFileSync(at(name), 'utf8'),
    write: (name: string, text: string) => fs.writeFileSync(at(name), text),
    names: () => fs.readdirSync(path).sort(),
    /** Replaces the configuration by "new". */
    replace: (name = 'config.json') => replaceFile(at(name), 'new'),
  }
})

test('a file is replaced: the one before is kept beside it, both with the mode that it had', async ({ dir }) => {
  dir.write('config.json', 'old')
  fs.chmodSync(dir.at('config.json'), 0o640)
  await dir.replace()
  expect(dir.read('config.json')).toBe('new')
  expect(dir.read('config.json.previous')).toBe('old')
  for (const name of dir.names()) expect(fs.statSync(dir.at(name)).mode & 0o777).toBe(0o640)
  expect(dir.names()).toEqual(['config.json', 'config.json.previous'])
})

test('a file is replaced: and can be put back', async ({ dir }) => {
  dir.write('config.json', 'old')
  const { undo } = await dir.replace()
  await undo()
  expect(dir.read('config.json')).toBe('old')
})

test('a file is replaced: a file that says it already is left alone, and so is the one before', async ({ dir }) => {
  dir.write('config.json', 'old')
  await dir.replace()
  const { ino } = fs.statSync(dir.at('config.json'))
  await (await dir.replace()).undo()
  expect(fs.statSync(dir.at('config.json')).ino).toBe(ino)
  expect(dir.read('config.json.previous')).toBe('old')
})

test('a file is replaced: behind a link, the file is replaced and the link stays', async ({ dir }) => {
  dir.write('real.json', 'old')
  fs.symlinkSync('real.json', dir.at('config.json'))
  await dir.replace()
  expect(dir.read('real.json')).toBe('new')
  expect(dir.names()).toEqual(['config.json', 'real.json', 'real.json.previous'])
})

test('a file is replaced: where none was, there is one, and none again when it is put back', async ({ dir }) => {
  const { undo } = await dir.replace()
  expect(dir.read('config.json')).toBe('new')
  await undo()
  expect(dir.names()).toEqual([])
})

test('a file is replaced: a place that cannot be written is one sentence', async ({ dir }) => {
  await expect(dir.replace('none/config.json')).rejects.toThrow(InputError)
  await expect(dir.replace('none/config.json')).rejects.toThrow(/cannot be replaced: ENOENT/)
})
