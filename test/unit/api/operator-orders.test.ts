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
  const of = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) })
  const { block, ends } = await it.json(at, of({ seconds: 60, keepRuns: true, note: 'key leaked' }))
  expect(ends).toEqual([])
  expect(block).toMatchObject({ kind: 'author', subject: ADDRESS, keepsRuns: true, note: 'key leaked' })
  await it.json(at, { method: 'POST' })
  const list = (await it.json('/blocks')) as { blocks: object[] }
  expect(list.blocks).toEqual([{ kind: 'author', subject: ADDRESS, since: expect.any(Number), keepsRuns: false }])
  expect(await it.json(`${at}/remove`, { method: 'POST' })).toMatchObject({ removed: { subject: ADDRESS } })
  expect((await it.ask(`${at}/remove`, { method: 'POST' })).status).toBe(404)
  for (const [path, init, detail] of [
    [`/blocks/hub/${ADDRESS}`, of({}), 'kind must be one of author, code, peer'],
    ['/blocks/code/hello', of({}), '"hello" is not a content id'],
    [at, of({ seconds: 0 }), 'seconds: must be a whole number from 1 to'],
    [at, of({ keepRuns: 'true' }), 'keepRuns: must be true or false'],
    [at, of({ note: 'a'.repeat(201) }), 'note: must have at most 200 characters'],
    [at, { method: 'POST', body: '{' }, 'the body is no JSON'],
    [at, of({ until: 5 }), 'until'],
  ] as const) {
    const answer = await it.ask(path, init)
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
