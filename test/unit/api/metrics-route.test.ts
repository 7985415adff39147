import { expect } from 'vitest'
import { createApi } from '../../../src/api/index.ts'
import { silentLog } from '../../../src/base/log.ts'
import { TOKEN, test } from './harness.ts'

test('metrics: who has no token gets none; a node without METRICS says what to set', async ({ it }) => {
  expect((await it.ask('/metrics', { token: null })).status).toBe(401)
  const answer = await it.ask('/metrics')
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({
    detail: 'this node has no metrics; set "METRICS": true in node.json and start it again',
  })
})

test('metrics: are text as Prometheus reads it', async ({ it }) => {
  const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'a 1\n' }
  using api = createApi({ node: it.node, clock: it.clock, log: silentLog(), token: TOKEN, metrics })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const answer = await api.fetch(new Request('http://127.0.0.1:4981/metrics', { headers }))
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await answer.text()).toBe('a 1\n')
})
