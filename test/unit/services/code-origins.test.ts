import { expect, test } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { createEvents } from '../../../src/base/events.ts'
import type { CodeEvents, CodeProvenance } from '../../../src/code/index.ts'
import { createCodeOrigins } from '../../../src/services/code-origins.ts'

type Service = Parameters<ReturnType<typeof createCodeOrigins>['of']>[0]

const code = parseCid('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const AUTHOR = new Uint8Array([0xed, 0x01, ...new Array(32).fill(1)])
const EVIL = 'https://evil.example/a.tgz'
const GOOD = 'https://good.example/a.tgz'
const FETCHED = { from: 'https', source: GOOD, at: 5_500, ms: 1_000 } as const

/** A store with the code in it, and services of it; `urls` are their sources. */
function origins(provenance: CodeProvenance | undefined) {
  const events = createEvents<CodeEvents>()
  const here: { provenance: typeof provenance; waits?: string } = { provenance }
  const store = {
    has: () => here.provenance !== undefined,
    damage: () => undefined,
    size: () => (here.provenance === undefined ? undefined : 2048),
    provenance: () => here.provenance,
  }
  const service = (id: string, ...urls: string[]): Service => {
    const sources = urls.map((url) => ({ type: 'https', url }))
    return { id, signed: { body: { author: AUTHOR, code, sources } }, run: undefined } as unknown as Service
  }
  const failed = (id: string, source: string, problem: string, next?: string) =>
    events.emit('code:source-failed', {
      ...{ code: code.toString(), service: id, source, problem },
      ...(next !== undefined && { next }),
    })
  return {
    ...createCodeOrigins({ events, downloads: { whyWaits: () => here.waits }, store }),
    events,
    here,
    service,
    failed,
  }
}

test('what the sources of one author said is told of no service of another that has the same code', () => {
  const { failed, of, reasonsOf, service } = origins(FETCHED)
  failed('theirs', EVIL, 'evil.example:443 is not among the hosts that may be reached', GOOD)
  expect(of(service('theirs', EVIL, GOOD))).toEqual({
    ...{ code: code.toString(), state: 'complete', bytes: 2048, provenance: { ...FETCHED, at: 5 } },
    failures: [{ source: EVIL, problem: 'evil.example:443 is not among the hosts that may be reached', next: GOOD }],
  })
  expect(reasonsOf(service('theirs', EVIL, GOOD)).map(({ outcome, message }) => `${outcome}: ${message}`)).toEqual([
    `pass: https: 2 KiB in 1.0 s (${GOOD})`,
    `fail: evil.example:443 is not among the hosts that may be reached; next: ${GOOD}`,
  ])
  for (const others of [service('other'), service('another', EVIL)]) {
    expect(reasonsOf(others)).toEqual([])
    expect(of(others)).toMatchObject({ state: 'complete', provenance: undefined, failures: [] })
  }
})

test('the mesh is a source of every service; a source that two services name is told of both', () => {
  const mesh = origins({ from: 'mesh', at: 1_000, ms: 20 })
  expect(mesh.reasonsOf(mesh.service('any'))).toMatchObject([{ message: 'mesh: 2 KiB in 20 ms' }])
  const https = origins(FETCHED)
  for (const id of ['one', 'two'])
    expect(https.of(https.service(id, EVIL, GOOD)).provenance).toMatchObject({ ms: 1000 })
  const { reasonsOf, service } = origins({ ...FETCHED, from: 'registry', source: GOOD })
  expect(reasonsOf(service('same words, another kind', GOOD))).toEqual([])
})

test('failures go with the code, and with the service; each source has one, the last in time is the last', () => {
  const { events, failed, forget, of, service } = origins(undefined)
  const failures = (id: string) => of(service(id)).failures.map(({ source }) => source)
  failed('one', EVIL, 'away')
  failed('one', GOOD, 'away')
  failed('one', EVIL, 'away')
  failed('two', EVIL, 'away')
  expect([failures('one'), failures('two')]).toEqual([[GOOD, EVIL], [EVIL]])
  forget(['two'])
  expect([failures('one'), failures('two')]).toEqual([[GOOD, EVIL], []])
  events.emit('code:removed', { code: 'another', why: 'removed' })
  expect(failures('one')).toHaveLength(2)
  events.emit('code:removed', { code: code.toString(), why: 'evicted' })
  expect(failures('one')).toEqual([])
  for (let index = 0; index < 20; index++) failed('one', `https://host/${index}`, 'away')
  expect(failures('one')).toHaveLength(8)
  for (let index = 0; index < 2000; index++) failed(`service ${index}`, EVIL, 'away')
  expect([failures('one'), failures('service 1999')]).toEqual([[], [EVIL]])
})

test('where its download waits for a slot, it says why, until the code is here', () => {
  const { of, here, service } = origins(undefined)
  here.waits = "two of this author's are under way"
  expect(of(service('mine', GOOD))).toMatchObject({ state: 'absent', waits: here.waits })
  here.provenance = FETCHED
  expect(of(service('mine', GOOD)).waits).toBeUndefined()
})
