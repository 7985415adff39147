import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HELLO_WEB } from '../fixtures/nodes.ts'
import { openPlace } from './program.ts'

test('a clock ten minutes off is said once at start, and at each publish', async () => {
  const server = createServer((_, answer) => {
    answer.sendDate = false
    answer.setHeader('Date', new Date(Date.now() + 600_000).toUTCString())
    answer.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await using place = await openPlace({ runner: { STATIC_NODES: [origin] } })
    const { program } = await place.start()
    const wrong =
      /The clock of this machine is wrong: (9m 59s|10m 0s|10m 1s) behind http:\/\/127\.0\.0\.1:\d+\. Nodes ignore what is signed two minutes off; set the clock, best by NTP/g
    await expect.poll(() => program.stderr).toMatch(wrong)
    const folder = join(place.root, 'hello-web')
    await cp(HELLO_WEB, folder, { recursive: true })
    const published = await place.ran(['publish', folder])
    expect(published.out).toContain('Published "hello-web"')
    expect(published.err.match(wrong)).toHaveLength(1)
    expect(program.stderr.match(wrong)).toHaveLength(1)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}, 180_000)
