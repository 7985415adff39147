import { truncate } from 'node:fs/promises'
import { expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { InputError, NotFoundError, UnavailableError } from '../../../src/base/errors.ts'
import { addImage, imageOf } from '../../fixtures/code/images.ts'
import { collect, MIB, noise, packFiles } from '../../fixtures/code/stores.ts'
import { testNodeCode, type Use } from '../../fixtures/node/node-code.ts'
import { test as base } from './harness.ts'

const files = (seed: number) => [{ path: 'a', content: noise(2 * MIB, seed) }]

/** A node whose code store has three codes: of a service that runs, of one that was refused, and one that nothing names. */
const test = base.extend('api', async ({ loopback }) => {
  const other = await testNodeCode()
  const here = await testNodeCode({ other: other.serve })
  loopback.node.code = here.nodeCode
  const ids: string[] = []
  for (const seed of [1, 2, 3]) ids.push((await here.addTar(packFiles(files(seed)))).code.toString())
  const [running = '', refused = '', unnamed = ''] = ids
  const use = (name: string, code: string, state: Use['state']) =>
    here.uses.push({ id: `id-${name}`, name, code, state })
  use('web', running, 'running')
  use('old', running, 'stopped')
  use('no', refused, 'refused')
  return { ...loopback, here, other, use, running, refused, unnamed }
})

test('what needs a code, and what is only known to name it', async ({ api: it }) => {
  const { codes, usage } = await it.client.code.list()
  expect(usage).toMatchObject({ bytes: 3 * (2 * MIB + 1536), files: 12 })
  const shown = codes.map(({ code, state, kept, services }) => [
    code,
    state,
    kept,
    services.map(({ needed }) => needed),
  ])
  expect(shown.toSorted()).toEqual(
    [
      [it.running, 'complete', true, [true, false]],
      [it.refused, 'complete', false, [false]],
      [it.unnamed, 'complete', false, []],
    ].toSorted(),
  )
  const view = await it.client.code.get(it.running.slice(0, 20))
  expect(view).toMatchObject({
    code: it.running,
    unpacked: false,
    provenance: { from: 'local', at: expect.any(Number) },
  })
})

test.for<[Use['state'], boolean]>([
  ['published', true],
  ['deciding', true],
  ['accepted', true],
  ['parked', true],
  ['done', false],
  ['failed', false],
  ['redirected', false],
  ['expired', false],
])('code of a service that is %s is needed: %s', async ([state, kept], { api: it }) => {
  it.use('other', it.unnamed, state)
  expect(await it.client.code.get(it.unnamed)).toMatchObject({ kept })
})

test('gc removes what nothing needs, and only says so with dryRun; what is in use stays', async ({ api: it }) => {
  using _pin = it.here.store.pin(parseCid(it.unnamed))
  const refused = [{ code: it.refused, bytes: 2 * MIB + 1536 }]
  expect(await it.client.code.gc({ dryRun: true })).toEqual(refused)
  expect((await it.client.code.list()).codes).toHaveLength(3)
  expect(await it.client.code.gc()).toEqual(refused)
  expect((await it.client.code.list()).codes.map(({ code }) => code).toSorted()).toEqual(
    [it.running, it.unnamed].toSorted(),
  )
})

test('verify tells what the disk lost, and removes it; named codes are checked alone', async ({ api: it }) => {
  await truncate(it.here.store.paths(parseCid(it.refused)).tar, MIB)
  const checks = async (codes?: string[]) =>
    (await Array.fromAsync(it.client.code.verify(codes))).map(({ code, state }) => [code, state])
  expect(await checks([it.running, it.unnamed])).toEqual(expect.arrayContaining([[it.running, 'ok']]))
  expect((await checks()).toSorted()).toEqual(
    [
      [it.running, 'ok'],
      [it.unnamed, 'ok'],
      [it.refused, 'removed'],
    ].toSorted(),
  )
  expect(await it.client.code.get(it.refused)).toMatchObject({ state: 'absent', kept: false })
})

test('an image has no archive', async ({ api: it }) => {
  const image = imageOf(1, [100, 2000])
  await addImage(it.here.store, image)
  await expect(collect(it.client.code.archive(image.code.toString()))).rejects.toThrow(
    /is an image, which has no tar of its own/,
  )
})

test('archive gives the tar; one that is damaged or not here is not found', async ({ api: it }) => {
  const tar = await collect(packFiles(files(1)))
  expect(Buffer.compare(await collect(it.client.code.archive(it.running)), tar)).toBe(0)
  await truncate(it.here.store.paths(parseCid(it.refused)).tar, MIB)
  await expect(collect(it.client.code.archive(it.refused))).rejects.toThrow(/lost a part .* fetches it again/)
  await expect(collect(it.client.code.archive(it.refused))).rejects.toThrow(NotFoundError)
})

test('fetch brings code from the mesh, with progress', async ({ api: it }) => {
  const { code } = await it.other.addTar(packFiles([{ path: 'b', content: noise(3 * MIB, 9) }]))
  await expect(it.client.code.get(code.toString())).rejects.toThrow(/not in the store, and no service here names it/)
  const seen: number[] = []
  const view = await it.client.code.fetch(code.toString(), { onProgress: ({ bytes }) => seen.push(bytes) })
  expect(view).toMatchObject({ code: code.toString(), state: 'complete', provenance: { from: 'mesh' }, services: [] })
  expect(seen.at(-1)).toBe(3 * MIB + 1536)
})

test('what ends a stream is the error that it is', async ({ api: it }) => {
  it.node.code = { ...it.here.nodeCode, fetch: () => Promise.reject(new UnavailableError('no peer has it')) }
  await expect(it.client.code.fetch(it.unnamed)).rejects.toThrow(new UnavailableError('no peer has it'))
})

test('what is no content id, or begins several, is one sentence', async ({ api: it }) => {
  for (const act of [
    it.client.code.get,
    it.client.code.fetch,
    (text: string) => collect(it.client.code.archive(text)),
  ]) {
    await expect(act('nonsense')).rejects.toThrow(InputError)
  }
  const seen = new Set<string>()
  let start = ''
  for (let n = 0; start === ''; n++) {
    const { code } = await it.here.addTar(packFiles([{ path: 'n', content: String(n) }]))
    const first = code.toString().slice(0, 8)
    if (seen.has(first)) start = first
    seen.add(first)
  }
  await expect(it.client.code.get(start)).rejects.toThrow(/begins more than one content id: .* or .*; write more of it/)
  await expect(Array.fromAsync(it.client.code.verify(['nonsense']))).rejects.toThrow(InputError)
})

test('a reader that leaves in the middle of a tar lets the code go', async ({ api: it }) => {
  it.here.uses.length = 0
  for await (const _piece of it.client.code.archive(it.running)) break
  await expect.poll(async () => (await it.client.code.get(it.running)).kept).toBe(false)
})
