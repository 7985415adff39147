import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEvents } from '../../../src/base/events.ts'
import { watchClock } from '../../../src/cli/clock-warning.ts'
import type { NodeEvents } from '../../../src/node/events.ts'
import { HELLO_WEB } from '../../fixtures/node/nodes.ts'
import { openPlace } from '../../fixtures/program/program.ts'

test('a clock ten minutes off is said once at start, and at each publish', async () => {
  // one of three is wrong itself, as this machine is
  const servers = [0, 600_000, 600_000].map((offMs) =>
    createServer((_, answer) => {
      answer.sendDate = false
      answer.setHeader('Date', new Date(Date.now() + offMs).toUTCString())
      answer.end('{}')
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  try {
    const origins = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await using place = await openPlace({ runner: { STATIC_NODES: origins } })
    const { program } = await place.start()
    const wrong =
      /The clock of this machine is wrong: (9m 59s|10m 0s|10m 1s) behind http:\/\/127\.0\.0\.1:\d+ \(the median of 3 static nodes\)\. Nodes ignore what is signed two minutes off; set the clock, best by NTP/g
    await expect.poll(() => program.stderr).toMatch(wrong)
    const folder = join(place.root, 'hello-web')
    await cp(HELLO_WEB, folder, { recursive: true })
    const published = await place.ran(['publish', folder])
    expect(published.out).toContain('Published "hello-web"')
    expect(published.err.match(wrong)).toHaveLength(1)
    expect(program.stderr.match(wrong)).toHaveLength(1)
  } finally {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  }
}, 180_000)

test('without HTTP origins, three peers that send what is signed in the future tell a clock that is behind, once', () => {
  const events = createEvents<NodeEvents>()
  const told: string[] = []
  using _watch = watchClock(events, (words) => told.push(words))
  const early = (from: string | undefined, aheadMs: number) => {
    events.emit('intake:early', { via: 'gossip', from, aheadMs })
  }
  // one that relays many, and the operator's own program, are no witnesses
  for (let n = 0; n < 100; n++) early('liar', 9_000_000)
  early(undefined, 9_000_000)
  early('second', 700_000)
  early('second', 600_000)
  expect(told).toEqual([])
  early('third', 601_000)
  early('fourth', 601_000)
  expect(told).toEqual([
    'The clock of this machine is probably wrong: 3 peers sent what is signed 10m 1s from now. Nodes ignore what is signed two minutes off; set the clock, best by NTP.',
  ])
})
