import { expect } from 'vitest'
import { InputError, UnavailableError } from '../../../src/base/errors.ts'
import type { WakeCondition } from '../../../src/base/verdict.ts'
import type { Change } from '../../../src/node/types.ts'
import { type apiInMemory, expectAnswer, test } from './harness.ts'

const CHANGE: Change = {
  id: 'bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje',
  name: 'hello',
  author: 'someone',
  from: 'run',
  to: 'refused',
  reasons: [{ rule: 'keywords', outcome: 'fail', message: 'none matches', warned: 'fail' }],
}

function post(
  it: ReturnType<typeof apiInMemory>,
  path: string,
  body: string | Uint8Array<ArrayBuffer> | null,
  type = 'application/json',
) {
  return it.ask(path, { method: 'POST', headers: { 'content-type': type }, body })
}

/** All that a parked service may wait for. */
const WAITS: WakeCondition[] = [
  { on: 'capacity' },
  { on: 'policy' },
  { on: 'quorum', code: 'c' },
  { on: 'freeze', chain: 'btc' },
  { on: 'delegation', author: 'a' },
  { on: 'replica' },
]

test('the policy: is shown with what its rules said and what runners are told', async ({ it }) => {
  const view = await it.json('/policy')
  expect(view).toMatchObject({ parked: 0, counts: { keywords: { pass: 3, warned: 2 } }, facts: { running: [] } })
  expect(view).toMatchObject({ facts: { config: { DESC_MAX_LEN: 200 }, capacity: { runs: 0 } } })
})

test('the policy: a candidate is previewed, and put in force as it was written, comments and all', async ({ it }) => {
  it.node.changes = [CHANGE]
  const text = '{ "DESC_MAX_LEN": 100 // short\n}'
  const preview = await post(it, '/policy/preview', text)
  expect([preview.status, await preview.json()]).toEqual([
    200,
    { changes: [CHANGE], more: 0, asked: 0, notAsked: 0, forgotten: 0 },
  ])
  expect(it.node.applied).toEqual([])
  await expectAnswer(post(it, '/policy', text, 'application/json; charset=utf-8'), 200, {
    changes: [CHANGE],
    background: 0,
  })
  expect(it.node.applied).toEqual([text])
  expect(await it.json('/policy')).toMatchObject({ facts: { config: { DESC_MAX_LEN: 100 } } })
})

test.for<[string, string | Uint8Array<ArrayBuffer> | null, string | undefined, number, RegExp]>([
  ['nothing', null, undefined, 400, /is not JSON/],
  ['no JSON', 'KEYWORDS: []', undefined, 400, /config\.json is not JSON: line 1, column 1/],
  ['no object', '[]', undefined, 400, /config\.json is \[\]; allowed is an object/],
  ['a wrong type', '{"KEYWORDS": 7}', undefined, 400, /KEYWORDS is 7; allowed is a list/],
  ['an unknown key', '{"KEYWORD": []}', undefined, 400, /KEYWORD .* is not a known key; did you mean KEYWORDS\?/],
  ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), undefined, 400, /no UTF-8/],
  ['10 MiB', `{"KEYWORDS":["${'x'.repeat(10 * 2 ** 20)}"]}`, undefined, 413, /at most 1 MiB/],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, /application\/json/],
])('the policy: %s is refused with a reason', async ([_what, body, type, status, sentence], { it }) => {
  for (const path of ['/policy/preview', '/policy']) {
    const response = await post(it, path, body, type)
    expect(response.status).toBe(status)
    expect(((await response.json()) as { error: string }).error).toMatch(sentence)
  }
  expect(it.node.applied).toEqual([])
})

test("the policy: the node's own words arrive", async ({ it }) => {
  it.node.applyPolicy = async () => {
    throw new InputError('the runner /x/runner.js threw while it was loading')
  }
  expect([(await post(it, '/policy', '{}')).status]).toEqual([400])
  it.node.applyPolicy = async () => {
    throw new UnavailableError('this node was started without a folder to read again')
  }
  expect([(await post(it, '/policy', '{}')).status]).toEqual([503])
})

test('the policy: the client brings all of it', async ({ loopback: it }) => {
  it.node.changes = [CHANGE]
  expect(await it.client.previewPolicy('{}')).toMatchObject({ changes: [CHANGE], more: 0, forgotten: 0 })
  expect(await it.client.applyPolicy('{"DESC_MAX_LEN":7}')).toEqual({ changes: [CHANGE], background: 0 })
  expect(await it.client.policy()).toMatchObject({ facts: { config: { DESC_MAX_LEN: 7 } } })
  await expect(it.client.applyPolicy('{"DESC_MAX_LEN":"x"}')).rejects.toThrow(InputError)
})

test('explain: in force or now, with the verdicts before, and what would have been', async ({ loopback: it }) => {
  const { id } = await it.receive()
  const at = 1_700_000_000
  it.node.put({ ...it.node.service(id), state: 'parked', parked: { since: at, until: at + 60, on: WAITS } })
  expect(await it.client.explain(id)).toMatchObject({ from: 'journal', parked: { on: WAITS } })
  expect((await it.client.explain(id)).history).toBeUndefined()
  const more = await it.client.explain(id, { now: true, history: true })
  expect(more).toMatchObject({ from: 'now', history: [{ policy: 'ab'.repeat(32) }, { failure: 'it threw' }] })
  expect(await it.client.service(id)).toMatchObject({ parked: { until: at + 60 } })
})

test('explain: a flag that is no flag is refused', async ({ it }) => {
  await it.receive()
  await expectAnswer(it.ask('/service/hello/explain?now=yes'), 400, { error: 'now must be true or false' })
})
