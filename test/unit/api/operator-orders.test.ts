import { expect } from 'vitest'
import { formatAddress } from '../../../protocols/address.ts'
import { newSigner } from '../../fixtures/mesh/announcement-of.ts'
import { test } from './harness.ts'

const ADDRESS = formatAddress(newSigner().address)

test('pause and resume: health says so, and the end of no pause is no error', async ({ it }) => {
  expect(await it.json('/pause')).toEqual({ asOf: expect.any(Number) })
  const { paused } = (await it.json('/pause', { method: 'POST' })) as { paused: { since: number } }
  expect(await it.json('/pause')).toMatchObject({ paused })
  expect(await it.json('/health')).toMatchObject({ paused })
  // the node is asked once a second
  await it.clock.advance(2_000)
  for (const resumed of [true, false]) expect(await it.json('/resume', { method: 'POST' })).toMatchObject({ resumed })
  expect(await it.json('/health')).not.toHaveProperty('paused')
})

test('blocks: made, listed, replaced, removed; what is wrong is a sentence', async ({ it }) => {
  const at = `/blocks/author/${encodeURIComponent(ADDRESS)}`
  const { block, ends } = await it.json(`${at}?seconds=60&keepRuns=true&note=key%20leaked`, { method: 'POST' })
  expect(ends).toEqual([])
  expect(block).toMatchObject({ kind: 'author', subject: ADDRESS, keepsRuns: true, note: 'key leaked' })
  await it.json(at, { method: 'POST' })
  const list = (await it.json('/blocks')) as { blocks: object[] }
  expect(list.blocks).toEqual([{ kind: 'author', subject: ADDRESS, since: expect.any(Number), keepsRuns: false }])
  expect(await it.json(`${at}/remove`, { method: 'POST' })).toMatchObject({ removed: { subject: ADDRESS } })
  expect((await it.ask(`${at}/remove`, { method: 'POST' })).status).toBe(404)
  for (const [path, detail] of [
    [`/blocks/hub/${ADDRESS}`, 'kind must be one of author, code, peer'],
    ['/blocks/code/hello', '"hello" is not a content id'],
    [`${at}?seconds=0`, 'seconds must be a whole number from 1 to'],
    [`${at}?note=${'a'.repeat(201)}`, 'note must have at most 200 characters'],
  ] as const) {
    const answer = await it.ask(path, { method: 'POST' })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ detail: expect.stringContaining(detail) }),
    ])
  }
})

test('the audit log says who was blocked', async ({ it }) => {
  await it.ask(`/blocks/author/${ADDRESS}`, { method: 'POST' })
  expect(await it.json('/audit')).toMatchObject({
    entries: [{ method: 'POST', path: `/blocks/author/${ADDRESS}`, status: 200 }],
  })
})
