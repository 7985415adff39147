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
  const all = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Line)
  last = all.pop()
  for (const line of all) lines.set(line.id, line)
}, 300_000)

test.each([
  ['S3', 'clients that vanish on each protocol leave no descriptor, timer, connection or memory behind'],
  ...['S4', 'S8', 'S8b', 'S8c'].map((id) => [
    id,
    'a peer that sends invalid data by gossip, records or sync is disconnected and refused',
  ]),
  ...['S5', 'S5b'].map((id) => [id, 'silent connections from one address or from sixteen keep no honest peer out']),
  ['S6', 'empty gossip frames at any rate hold nothing up'],
  ['S6b', 'neither do frames of the multiplexer alone'],
  ['S7', 'long gossip frames of eight peers cost no memory that stays'],
  ['S9', 'a list that never ends is read for one round'],
  ['S10', 'silent connections to the API keep out neither the operator nor another address'],
  ...(needs('engine') ? [['S16', 'archives that are more than was granted are not fetched']] : []),
] as [string, string][])('%s: %s', (id) => {
  const line = lines.get(id)
  expect(line?.held, `${id}: ${line?.bound ?? 'was not played'}\n${JSON.stringify(line)}`).toBe(true)
})

test('the last line counts all of them', () => {
  const held = [...lines.values()].filter((line) => line.held).length
  expect(last).toEqual({ attacks: lines.size, held })
})
