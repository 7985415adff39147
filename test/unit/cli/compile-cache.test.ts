import { execFile } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test as base, expect } from 'vitest'
import { MAIN } from '../../build.ts'

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads what a fixture needs from its parameters
const test = base.extend('home', async ({}, { onCleanup }) => {
  const home = mkdtempSync(join(tmpdir(), 'tc-home-'))
  onCleanup(() => rmSync(home, { recursive: true, force: true }))
  return home
})

/** A command that needs more than help and versions do, in a process with this environment alone. */
async function ask(home: string, env: Record<string, string> = {}): Promise<string> {
  const asked = promisify(execFile)(process.execPath, [MAIN, 'key', 'show'], { env: { HOME: home, ...env } })
  const failed = await asked.then(
    () => ({ stderr: '' }),
    (error: { stderr: string }) => error,
  )
  return failed.stderr
}

const compiledIn = (folder: string) => globSync(join(folder, 'thundercloud/compiled/*/*')).length

test('what is compiled is kept in the cache folder of the user, which is theirs alone', async ({ home }) => {
  await ask(home)
  expect(compiledIn(join(home, '.cache'))).toBeGreaterThan(10)
  expect(statSync(join(home, '.cache/thundercloud')).mode & 0o777).toBe(0o700)
})

test.runIf(process.platform === 'linux')('XDG_CACHE_HOME names another folder', async ({ home }) => {
  await ask(home, { XDG_CACHE_HOME: join(home, 'elsewhere') })
  expect(compiledIn(join(home, 'elsewhere'))).toBeGreaterThan(10)
  expect(existsSync(join(home, '.cache'))).toBe(false)
})

test("a folder that the user chose for Node takes the place of the program's", async ({ home }) => {
  await ask(home, { NODE_COMPILE_CACHE: join(home, 'chosen') })
  expect(existsSync(join(home, '.cache'))).toBe(false)
})

test.runIf(process.getuid?.() === 0)('the superuser leaves nothing in the home of another', async ({ home }) => {
  chownSync(home, 65_534, 65_534)
  await ask(home)
  expect(existsSync(join(home, '.cache'))).toBe(false)
})

test('a home that takes no folder changes nothing for the command', async ({ home }) => {
  const before = await ask(home)
  rmSync(join(home, '.cache'), { recursive: true })
  writeFileSync(join(home, '.cache'), '')
  expect(await ask(home)).toBe(before)
})

test('what versions that are gone have left is removed when it is much', async ({ home }) => {
  const folder = join(home, '.cache/thundercloud/compiled/v1')
  mkdirSync(folder, { recursive: true })
  const leave = (count: number) => {
    for (let number = 0; number < count; number++) writeFileSync(join(folder, `${number}`), '')
  }
  leave(9000)
  await ask(home)
  expect(existsSync(folder)).toBe(true)
  leave(10_001)
  await ask(home)
  expect(existsSync(folder)).toBe(false)
  expect(compiledIn(join(home, '.cache'))).toBeGreaterThan(10)
})
