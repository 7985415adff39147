import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Program } from '../../fixtures/program/process.ts'
import { openPlace } from '../../fixtures/program/program.ts'

const SIGHUP = 1

/** Resolves when the program catches SIGHUP: before, the system's own way ends it, and nothing is there that could stay behind. */
async function catches(program: Program): Promise<void> {
  const { pid } = program.child
  await expect
    .poll(() => {
      const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
      return (BigInt(`0x${caught}`) >> BigInt(SIGHUP - 1)) & 1n
    })
    .toBe(1n)
}

test('SIGHUP while a node starts waits until it is ready, and while it stops it is ignored', async () => {
  await using place = await openPlace()
  const program = place.run(['start', place.dir, '--json'])
  await catches(program)
  // from the first moment on, and again and again until it is ready
  const hangups = setInterval(() => program.child.kill('SIGHUP'), 20)
  await program.line((line) => line.includes('"event":"ready"'))
  clearInterval(hangups)
  // the postponed one has it read its files again: a change of these few moments is found
  writeFileSync(join(place.dir, 'node.json'), readFileSync(join(place.dir, 'node.json')))
  expect((await place.ran(['peers', '--json'])).code).toBe(0)
  program.child.kill('SIGTERM')
  const pidFile = join(place.dir, 'data', 'node.pid')
  // as long as there is something that could stay behind; in its last moment a process catches nothing any more
  const nag = setInterval(() => existsSync(pidFile) && program.child.kill('SIGHUP'), 5)
  await program.ended()
  clearInterval(nag)
  expect(existsSync(pidFile)).toBe(false)
}, 180_000)

test('SIGHUP ends the demo in good order: its folders and keys are gone', async () => {
  await using place = await openPlace()
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('thundercloud-demo-'))
  const program = place.run(['demo', '--json'])
  await program.line((line) => line.includes('"event":"node"'))
  program.child.kill('SIGHUP')
  await Promise.race([program.ended(), wait(45_000)])
  expect(await program.ended()).toBe(129)
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('thundercloud-demo-'))
  expect(after.filter((name) => !before.includes(name))).toEqual([])
}, 180_000)
