import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { needs } from '../../require.ts'

type Line = { readonly id: string; readonly held: boolean; readonly bound: string }

const ROOT = join(import.meta.dirname, '../../..')
const lines = new Map<string, Line>()
let last: unknown

/** All of them in one run, as a user starts it: a node, honest neighbours and attackers are there once. */
beforeAll(async () => {
  const args = ['--conditions=thundercloud-source', 'scripts/attack.ts', '--short', '--json']
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, timeout: 280_000 }, (_error, stdout, stderr) => {
      if (stderr !== '') console.error(stderr)
      resolve(stdout)
    })
  })
  const all = out.trim().split('\n')
  for (const text of all.slice(0, -1)) {
    const line = JSON.parse(text) as Line
    lines.set(line.id, line)
  }
  last = JSON.parse(all.at(-1) ?? '{}')
}, 300_000)

function expectHeld(id: string): void {
  const line = lines.get(id)
  expect(line?.held, `${id}: ${line?.bound ?? 'was not played'}\n${JSON.stringify(line)}`).toBe(true)
}

test('S3: clients that vanish on each protocol leave no descriptor, timer, connection or memory behind', () => {
  expectHeld('S3')
})

test.each(['S4', 'S8', 'S8b', 'S8c'])('%s: who lies by gossip, records or sync is disconnected and refused', expectHeld)

test.each(['S5', 'S5b'])('%s: silent connections from one address or from sixteen keep no honest peer out', expectHeld)

test('S6: empty gossip frames at any rate hold nobody up', () => expectHeld('S6'))

test('S6b: neither do frames of the multiplexer alone', () => expectHeld('S6b'))

test('S7: long gossip frames of eight peers cost no memory that stays', () => expectHeld('S7'))

test('S9: a list that never ends is read for one round', () => expectHeld('S9'))

test('S10: silent connections to the API keep out neither the operator nor another address', () => expectHeld('S10'))

test.skipIf(!needs('engine'))('S16: archives that are more than was granted are not fetched', () => expectHeld('S16'))

test('the last line counts all of them', () => {
  const held = [...lines.values()].filter((line) => line.held).length
  expect(last).toEqual({ attacks: lines.size, held })
})
