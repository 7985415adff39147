import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { NetworkGrant } from '../../../src/base/verdict.ts'
import { machineNetwork } from '../../../src/egress/index.ts'
import type { Executor } from '../../../src/execution/index.ts'
import { engineOf, PLACES } from '../../fixtures/execution/places.ts'
import {
  grantOf,
  linesOf,
  makeRunDirs,
  type RunDirs,
  talk,
  until,
  writeCode,
} from '../../fixtures/execution/run-fixture.ts'
import { serviceOf, supervise } from '../../fixtures/execution/supervised.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

/** Sends what comes in on to the host that its arguments name, and says what came back, or why nothing did. */
const SERVICE = `const net = require('net'), [host, port] = process.argv.slice(2)
  net.createServer({ allowHalfOpen: true }, s => { s.on('error', () => {})
    let said = ''; s.on('data', d => said += d).on('end', () => {
      const out = net.connect({ host, port, allowHalfOpen: true }); let all = ''
      out.on('error', e => s.end(e.code)).on('data', d => all += d).on('end', () => s.end(all)); out.end(said) }) }).listen(8080, '127.0.0.1')`

/** Asks for connections as fast as it can, and hangs up at once, half of the time before there is an answer. */
const FLOOD = `const net = require('net'), [host, port] = process.argv.slice(2)
  let asked = 0, over = false
  const one = () => { if (over) return; asked++
    const s = asked % 2 ? net.connect(port, host) : net.connect(3128, '127.0.0.1')
    if (asked % 2 === 0) s.write('CONNECT ' + host + ':' + port + ' HTTP/1.1\\r\\n\\r\\n')
    s.on('error', () => {}).on('close', one).once('connect', () => setImmediate(() => s.destroy())) }
  net.createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).on('end', () => { for (let n = 0; n < 100; n++) one()
    setTimeout(() => { over = true; s.end(String(asked)) }, 4000) }).resume()).listen(8080, '127.0.0.1')`

/** A server that says back what it hears. */
async function echo({ onConnection = () => {} } = {}) {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    onConnection()
    socket.on('error', () => {}).pipe(socket)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe.each(PLACES.filter(({ need }) => needs(need)))(
  'a run with a network on $name ($need)',
  ({ name, need, create }) => {
    const apart = engineOf({ need })

    let dirs: RunDirs & AsyncDisposable
    let code: string
    let ALLOW: string[]
    beforeEach(async () => {
      dirs = await makeRunDirs()
      code = await writeCode(dirs, { 'main.js': SERVICE, 'flood.js': FLOOD })
      ALLOW = []
      return () => dirs[Symbol.asyncDispose]()
    })

    const internet = machineNetwork(system.clock, {
      system: async (host) => (host === 'echo.example' ? [{ address: '127.0.0.1', family: 4 }] : []),
    })

    /** A node over the same folders. */
    async function node(stopOnClose: boolean) {
      const executor: Executor = create(dirs, { docker: apart()?.config ?? {} })
      const provider = {
        obtain: async () => ({ dir: code, release: async () => {} }),
        keep: () => new DisposableStack(),
      }
      const policy = () => ({ NETCAP: ALLOW.length === 0 ? {} : { MODE: 'allowlist', ALLOW } })
      const part = supervise(dirs, {
        executors: [executor],
        code: provider,
        policy,
        internet,
        graceMs: 2000,
        stopOnClose,
      })
      await part.supervisor.boot()
      const said = async () =>
        (await linesOf(`${dirs.logs}/service-1`)).node.filter((line) => line.startsWith('network:'))
      return { ...part, said, ask: async () => talk(await part.supervisor.connect('service-1', 'http'), 'hello') }
    }

    const begin = ({ supervisor }: Awaited<ReturnType<typeof node>>, target: string, file = 'main.js') => {
      // the wildcard brings the proxy
      const network: NetworkGrant = { mode: 'allowlist', allow: [target, '*.other.example:443'] }
      const run = { command: ['node', file, ...target.split(':')], ports: [{ name: 'http', port: 8080 }] }
      supervisor.run({ ...serviceOf(run), network: [target] }, grantOf(name, { network }))
      return until(async () => supervisor.status('service-1')?.healthy)
    }

    it('reaches what it was granted, until a new policy takes it away, and its log says so', async () => {
      const port = await echo()
      const target = `echo.example:${port}`
      ALLOW = [target, `127.0.0.1:${port}`]
      const first = await node(true)
      onTestFinished(first.close)
      await begin(first, target)
      expect(await first.ask()).toBe('hello')
      // its name may be reached, but does not lead to an address that may be
      ALLOW = [target]
      first.supervisor.reviseNetworks()
      expect(await first.ask()).toBe('ECONNRESET')
      ALLOW = []
      expect(await first.ask()).toBe('ECONNRESET')
      // the check of its health came through, too
      expect([...new Set(await first.said())]).toEqual([
        `network: ${target} allowed`,
        expect.stringContaining(
          `network: ${target} refused: echo.example leads to 127.0.0.1, which is not a public address; such an address must be listed itself in NETCAP.ALLOW`,
        ),
        `network: ${target} refused: ${target} is not among the hosts that may be reached`,
      ])
    })

    it('that floods the gateway costs its node a bounded number of connections and lines', async () => {
      let reached = 0
      const port = await echo({ onConnection: () => void reached++ })
      const target = `127.0.0.1:${port}`
      ALLOW = [target]
      const first = await node(true)
      onTestFinished(first.close)
      await begin(first, target, 'flood.js')
      const from = process.hrtime.bigint()
      const asked = Number(await first.ask())
      const seconds = Number(process.hrtime.bigint() - from) / 1e9
      expect(asked).toBeGreaterThan(1000)
      expect(reached).toBeLessThan(64 + 20 * (seconds + 1))
      expect((await first.said()).length).toBeLessThan(100 + 2 * (seconds + 1))
    })

    it('has none while its node is away, and has it again when the node has found it', async () => {
      const port = await echo()
      const target = `localhost:${port}`
      ALLOW = [target]
      const first = await node(false)
      await begin(first, `127.0.0.1:${port}`)
      expect(await first.ask()).toBe('ECONNRESET')
      ALLOW = [`127.0.0.1:${port}`]
      expect(await first.ask()).toBe('hello')
      await first.close()
      const second = await node(true)
      onTestFinished(second.close)
      await until(async () => (await second.ask()) === 'hello')
      await second.supervisor.stop('service-1', { why: 'test' })
      expect((await second.said()).at(-1)).toBe('network: 5 B received, 5 B sent')
    })
  },
)
