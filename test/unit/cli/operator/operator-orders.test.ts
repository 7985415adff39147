import { expect } from 'vitest'
import { formatAddress, peerIdOf } from '../../../../protocols/address.ts'
import { newSigner } from '../../../fixtures/mesh/announcement-of.ts'
import { test } from '../../../fixtures/program/shell.ts'

const other = newSigner()
const ADDRESS = formatAddress(other.address)
const PEER = peerIdOf(other.address)

test('pause: list says so meanwhile, and resume ends it', async ({ withNode: shell }) => {
  expect((await shell.run('pause')).stdout).toMatch(/^The node begins no new run.*`thundercloud resume` ends that/)
  expect((await shell.run('list')).stderr).toMatch(/this node is paused and begins no new run; `thundercloud resume`/)
  for (const resumed of [true, false]) expect((await shell.json('resume')).values).toEqual([{ resumed }])
})

test('block: each kind is listed with its note and end, and the beginning of it undoes it', async ({
  withNode: shell,
}) => {
  expect((await shell.run('block ls')).stdout).toBe('Nothing is blocked.\n')
  const made = await shell.run(`block author ${ADDRESS} --for 7d --note leaked --keep-runs`)
  expect(made.stdout).toMatch(new RegExp(`^The author ${ADDRESS} is blocked until .* UTC; \`thundercloud unblock`))
  await shell.run(`block peer ${PEER}`)
  const { values } = await shell.json('block ls')
  expect(values).toEqual([
    [
      expect.objectContaining({ kind: 'author', subject: ADDRESS, note: 'leaked', keepsRuns: true }),
      expect.objectContaining({ kind: 'peer', subject: PEER, keepsRuns: false }),
    ],
  ])
  expect((await shell.run('block ls')).stdout).toMatch(/author .* in 7d .* kept +leaked/)
  expect((await shell.json(`unblock ${PEER.slice(0, 20)}`)).values).toEqual([
    { removed: expect.objectContaining({ subject: PEER }) },
  ])
  await shell.refused(`unblock ${PEER}`, `nothing that begins with "${PEER}" is blocked`, { code: 1 })
  await shell.refused('block author nobody', 'author')
})
