import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRng } from '../../../src/base/rng.ts'
import { NoCapacityError } from '../../../src/execution/errors.ts'
import { createUserIds, mappedRange } from '../../../src/execution/user-ids.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'

/** A test with a machine on which there are nodes. */
const it = test.extend('all', async () => {
  const dir = await tempDir()
  const claims = join(dir, 'claims')
  const node = async (name: string, range = { first: 5000, last: 5003 }) => {
    await mkdir(join(dir, name), { recursive: true })
    return createUserIds({ rng: seededRng(name) }, { range, dir: claims, owner: join(dir, name) })
  }
  const forget = (name: string) => rm(join(dir, name), { recursive: true })
  return { node, forget, claimed: () => readdir(claims) }
})

it('no two runs of one machine share one, whichever node runs them', async ({ all }) => {
  const [a, b] = [await all.node('a'), await all.node('b')]
  const ids = [a.claim('1'), b.claim('2'), a.claim('3'), b.claim('4')]
  expect(new Set(ids).size).toBe(4)
  expect(ids.every((id) => id >= 5000 && id <= 5003)).toBe(true)
  expect((await all.claimed()).sort()).toEqual(['5000', '5001', '5002', '5003'])
})

it('a run keeps its own, also over a restart of the node', async ({ all }) => {
  const id = (await all.node('a')).claim('run')
  expect((await all.node('a')).claim('run')).toBe(id)
})

it('where the range is spent the service waits for capacity, and what was given back is given again', async ({
  all,
}) => {
  const a = await all.node('a')
  for (const run of ['1', '2', '3', '4']) a.claim(run)
  expect(() => a.claim('5')).toThrow(NoCapacityError)
  const full = 'every user id from 5000 to 5003 has a run: widen HOST.UIDS, or wait until one has ended'
  expect(() => a.claim('5')).toThrow(full)
  a.release('2')
  a.claim('5')
})

it('prefers the id that the journal names, and takes another where that is in use', async ({ all }) => {
  expect((await all.node('a')).claim('1', { preferred: 5002 })).toBe(5002)
  expect((await all.node('b')).claim('2', { preferred: 5002 })).not.toBe(5002)
})

it('keeps within what an executor can give', async ({ all }) => {
  expect((await all.node('a')).claim('1', { preferred: 5001, within: { first: 70, last: 70 } })).toBe(70)
})

it('knows after a restart whose ids are held, of its own node', async ({ all }) => {
  const [first, other] = [await all.node('a'), await all.node('b')]
  first.claim('live')
  first.claim('over')
  other.claim('elsewhere')
  const again = await all.node('a')
  expect(again.holders().toSorted()).toEqual(['live', 'over'])
  again.release('over')
  expect([again.holders(), (await all.claimed()).length]).toEqual([['live'], 2])
})

it('takes back the claims of a node whose folder is gone, when it needs them', async ({ all }) => {
  const gone = await all.node('gone')
  for (const run of ['1', '2', '3', '4']) gone.claim(run)
  const a = await all.node('a')
  expect(() => a.claim('mine')).toThrow(NoCapacityError)
  await all.forget('gone')
  expect(a.claim('mine')).toBeGreaterThanOrEqual(5000)
})

const range = { first: 2_000_000_000, last: 2_000_065_535 }
test.each([
  ['         0          0 4294967295\n', range],
  ['0 100000 65536\n', { first: 61184, last: 65519 }],
  ['0 0 1\n1 100000 65535\n', { first: 61184, last: 65519 }],
  ['', range],
])('ids in a user namespace: %j', (map, expected) => expect(mappedRange(range, map)).toEqual(expected))

it('passes from what was made ready to the run that has it, for other nodes and after a restart too', async ({
  all,
}) => {
  const [a, b] = [await all.node('a'), await all.node('b')]
  const ready = a.claim('ready')
  a.claim('run')
  a.transfer('ready', 'run')
  expect([a.claim('run'), await all.claimed()]).toEqual([ready, [`${ready}`]])
  const again = await all.node('a')
  expect(again.holders()).toEqual(['run'])
  expect(again.claim('run')).toBe(ready)
  expect(b.claim('other', { preferred: ready })).not.toBe(ready)
})
