import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect } from 'vitest'
import { runToEnd, talk } from '../../fixtures/execution/run-fixture.ts'
import type { KitContext } from './kit-context.ts'

/** No network but the gateway. */
export function describeNetwork({ it, executor, json, plan }: KitContext): void {
  describe('the network', () => {
    it('is loopback alone, without a route', async () => {
      const seen = await json(`const fs = require('fs'), os = require('os')
        const devices = fs.readFileSync('/proc/net/dev', 'utf8').trim().split('\\n').slice(2).map(line => line.split(':')[0].trim())
        console.log(JSON.stringify({ interfaces: Object.keys(os.networkInterfaces()), devices, routes: fs.readFileSync('/proc/net/route', 'utf8').trim().split('\\n').length - 1 }))`)
      expect(seen.interfaces).toEqual(['lo'])
      expect(seen.routes).toBe(0)
      expect(
        seen.devices.filter(
          (name: string) =>
            !/^(lo|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0|dummy0|bond0|teql0)$/.test(name),
        ),
      ).toEqual([])
    })

    it('lets no connection out, to the node, its machine or the world', async () => {
      const server = createServer((socket) => socket.on('error', () => {}).end('reached'))
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
      const { port } = server.address() as { port: number }
      try {
        const own = Object.values(networkInterfaces())
          .flat()
          .flatMap((found) => (found?.family === 'IPv4' ? [found.address] : []))
        const targets = [...own, '127.0.0.1', '127.0.0.2', '172.17.0.1', '192.0.2.1'].map((host) => [host, port])
        const script = `const net = require('net'), dns = require('dns'), dgram = require('dgram')
          const reach = ([host, port]) => new Promise(resolve => { const s = net.connect({ host, port, timeout: 1500 })
            s.on('data', () => resolve('reached')).on('error', e => resolve(e.code)).on('timeout', () => resolve('timeout')) })
          const send = host => new Promise(resolve => dgram.createSocket('udp4').send('x', 53, host, e => resolve(e ? e.code : 'sent')))
          Promise.all([...${JSON.stringify(targets)}.map(reach), dns.promises.lookup('example.org').then(() => 'resolved', e => e.code), send('192.0.2.1')]).then(all => { console.log(JSON.stringify(all)); process.exit() })`
        const seen: string[] = await json(script)
        expect(seen.filter((answer) => ['reached', 'resolved', 'sent', 'timeout'].includes(answer))).toEqual([])
        // The same connection from outside the sandbox arrives: the test can fail.
        await new Promise((resolve, reject) => connect(port, '127.0.0.1').on('data', resolve).on('error', reject))
      } finally {
        server.close()
      }
    })

    it('lets the gateway in, with half-close, to declared ports only', async () => {
      const script = `const net = require('net')
        const serve = port => net.createServer({ allowHalfOpen: true }, s => { let all = ''; s.on('error', () => {}).on('data', d => all += d).on('end', () => s.end(port + ':' + all)) }).listen(port, '127.0.0.1')
        setTimeout(() => { serve(4000); serve(4001) }, 300)`
      await runToEnd(executor(), await plan(script, { ports: [4000] }), async (run) => {
        expect(await talk(await run.connect(4000), 'hello')).toBe('4000:hello')
        const both = await Promise.all(
          Array.from({ length: 20 }, async (_, n) => talk(await run.connect(4000), `${n}`)),
        )
        expect(both).toEqual(Array.from({ length: 20 }, (_, n) => `4000:${n}`))
        await expect(run.connect(4001, { patienceMs: 200 })).rejects.toThrow(/declared/)
        await run.stop({ graceMs: 0 })
      })
    })

    it('carries a megabyte both ways unharmed', async () => {
      const script = `require('net').createServer({ allowHalfOpen: true }, s => s.on('error', () => {}).pipe(s)).listen(4000, '127.0.0.1')`
      await runToEnd(executor(), await plan(script, { ports: [4000] }), async (run) => {
        const text = 'abcdefgh'.repeat(512 * 1024)
        expect(await talk(await run.connect(4000), text)).toBe(text)
        await run.stop({ graceMs: 0 })
      })
    })

    it('tells of a port where nothing listens, in bounded time', async () => {
      await runToEnd(executor(), await plan('setInterval(() => {}, 1000)', { ports: [4000] }), async (run) => {
        await expect(run.connect(4000, { patienceMs: 300 })).rejects.toThrow(/nothing listens on port 4000/)
        await run.stop({ graceMs: 0 })
      })
    })
  })
}
