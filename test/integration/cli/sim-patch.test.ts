import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { runNode } from '../../fixtures/program/process.ts'

const ROOT = join(import.meta.dirname, '../../..')
const MAIN = ['--conditions=thundercloud-source', '--no-warnings', join(ROOT, 'src/cli/main.ts')]
const LOWERING = 'protocols/redirection.ts'
/** A node sends on with the depth that it got. */
const FAULT = join(ROOT, 'scripts/faults/patches/ticket/ticket-is-not-lowered.patch')
/** Its first scenario never comes. */
const ENDLESS = `--- a/src/simulation/fuzz/fuzz.ts
+++ b/src/simulation/fuzz/fuzz.ts
@@ -1,1 +1,4 @@
+import { writeFileSync } from 'node:fs'
+writeFileSync(process.env.TMPDIR + '/it-runs', '')
+for (;;) {}
 import type { Clock } from '../../base/clock.ts'
`

/** A folder, and the program in it, whose temporary files are in a folder of their own. */
const test = base.extend('place', async ({ task: _ }, { onCleanup }) => {
  const root = await mkdtemp(join(tmpdir(), 'tc-patch-'))
  onCleanup(() => rm(root, { recursive: true, force: true }))
  const temporary = join(root, 'tmp')
  mkdirSync(temporary)
  const path = (name: string) => join(root, name)
  const env = { HOME: path('home'), TMPDIR: temporary }
  return {
    path,
    start: (...argv: string[]) => runNode([...MAIN, ...argv], { env }),
    leftBehind: () => readdirSync(temporary).filter((name) => name.startsWith('thundercloud')),
    temporary,
  }
})

test('random scenarios find what a patch breaks, the printed command repeats it, and the checkout is as it was', async ({
  place,
}) => {
  const before = readFileSync(join(ROOT, LOWERING))
  const found = place.path('found.json')
  const program = place.start('sim', 'fuzz', '--runs', '20', '--patch', FAULT, '--out', found)
  expect(await program.ended()).toBe(1)
  expect(program.stderr).toMatch(/^scenario \d+ breaks depth-never-raised\n$/)
  const replay = `thundercloud sim run ${found} --engine virtual --patch ${FAULT}`
  expect(program.stdout).toContain(`\n  ${replay}\n`)
  const again = place.start(...replay.split(' ').slice(1))
  expect(await again.ended()).toBe(1)
  expect(again.stdout).toContain('depth-never-raised: ')
  const without = place.start('sim', 'run', found)
  expect(await without.ended()).toBe(0)
  expect(readFileSync(join(ROOT, LOWERING))).toEqual(before)
  expect(place.leftBehind()).toEqual([])
})

test('a patch that cannot be read or does not apply is one sentence before anything runs', async ({ place }) => {
  writeFileSync(place.path('text'), 'no patch\n')
  writeFileSync(place.path('elsewhere'), ENDLESS.replaceAll('src/simulation', 'node_modules/any-signal'))
  writeFileSync(place.path('old'), readFileSync(FAULT, 'utf8').replace('Math.min', 'Math.max'))
  const refused = [
    ['gone', /^\S+gone cannot be read \(no such file or directory\); name a unified diff of the sources\n$/],
    ['text', /^\S+text does not apply to the sources of this checkout: No valid patches in input .*\n$/],
    ['elsewhere', /^\S+elsewhere does not apply to the sources of this checkout: .*node_modules.*\n$/],
    ['old', /^\S+old does not apply to the sources of this checkout: patch failed: protocols\/redirection.ts:51\n$/],
  ] as const
  for (const [name, sentence] of refused) {
    const program = place.start('sim', 'fuzz', '--patch', place.path(name))
    expect([await program.ended(), program.stdout]).toEqual([2, ''])
    expect(program.stderr).toMatch(sentence)
  }
  expect(place.leftBehind()).toEqual([])
})

test('Ctrl-C ends what a patch has computing for ever, and removes the copy', async ({ place }) => {
  writeFileSync(place.path('endless'), ENDLESS)
  const program = place.start('sim', 'fuzz', '--patch', place.path('endless'))
  await expect.poll(() => existsSync(join(place.temporary, 'it-runs')), { timeout: 60_000 }).toBe(true)
  expect(place.leftBehind()).toEqual([expect.stringMatching(/^thundercloud-patched-/)])
  expect([await program.end('SIGINT'), program.stdout]).toEqual([130, ''])
  expect(place.leftBehind()).toEqual([])
})
