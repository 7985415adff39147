import { createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { createEgress, type EgressDecision, type EgressPolicy, machineNetwork } from '../../../src/egress/index.ts'
import type { PlanEgress, Run } from '../../../src/execution/index.ts'
import { type PlanChange, runToEnd } from '../../fixtures/execution/run-fixture.ts'
import { system } from '../../fixtures/system.ts'
import type { KitContext } from './kit-context.ts'

/** What names lead to here: a public-looking name to this machine, and those that a stranger points elsewhere. */
const NAMES: Record<string, string> = {
  'granted.example': '127.0.0.1',
  'metadata.example': '169.254.169.254',
  'rebinding.example': '127.0.0.1',
  'bridge.example': '172.17.0.1',
  'six.example': '::1',
}

const lookup = async (name: string) => {
  const address = NAMES[name]
  return address === undefined ? [] : [{ address, family: address.includes(':') ? 6 : 4 }]
}

/** In a run: `through(host, port)` asks the proxy, `at(host, port)` the host itself; each answers what came, or why nothing did. */
const REACH = `const net = require('net')
  const read = (socket, hello) => new Promise(resolve => { let all = ''
    socket.setTimeout(20000, () => resolve('timeout')).on('error', e => resolve(all || e.code)).on('data', d => all += d).on('close', () => resolve(all || 'closed'))
    if (hello) socket.end(hello) })
  const at = (host, port, hello = 'hi') => read(net.connect({ host, port, allowHalfOpen: true }), hello)
  const through = (host, port) => read(net.connect({ host: '127.0.0.1', port: 3128, allowHalfOpen: true }), 'CONNECT ' + (host.includes(':') ? '[' + host + ']' : host) + ':' + port + ' HTTP/1.1\\r\\n\\r\\n')
  const print = value => console.log(JSON.stringify(value))
`

export type EgressServed = { run: Run; decisions: EgressDecision[]; revise(policy: EgressPolicy): void }

/** The way out of a run: only what its plan and the node's policy grant. */
export function describeEgress({ executor, plan }: KitContext): void {
  const serve = async (
    script: string,
    policy: EgressPolicy,
    egress: PlanEgress,
    { change, during }: { change?: PlanChange; during?: (served: EgressServed) => Promise<void> } = {},
  ) => {
    const decisions: EgressDecision[] = []
    let current = policy
    const through = createEgress(machineNetwork(system.clock, { system: lookup }), {
      policy: () => current,
      onDecision: (decision) => void decisions.push(decision),
    })
    const { end, out, err } = await runToEnd(
      executor(),
      await plan(REACH + script, { egress, ...change }),
      async (run) => {
        await using served = await run.serveEgress?.(through, { maxConnections: 64 })
        expect(served).toBeDefined()
        const revise = (next: EgressPolicy) => {
          current = next
          through.revise()
        }
        await during?.({ run, decisions, revise })
        await run.wait()
      },
    )
    expect({ end, err }).toMatchObject({ end: { exitCode: 0, reason: 'exit' }, err: [] })
    return { seen: out.map((line) => JSON.parse(line)), decisions, end }
  }

  const granted = (port: number, more: Partial<EgressPolicy> = {}): EgressPolicy => ({
    hosts: [{ host: 'granted.example', subdomains: false, port, privateAllowed: true }],
    addresses: [],
    ...more,
  })

  describe('the way out', () => {
    it('leads to a granted host by its name, at any port, in any protocol, and through the proxy', async () => {
      await using server = await listening('0.0.0.0')
      const { port } = server
      const script = `;(async () => { print(await at('granted.example', ${port})); print(await through('granted.example', ${port}))
        print(require('fs').readFileSync('/etc/hosts', 'utf8').split('\\n').filter(line => /granted/.test(line)).length)
        print(await require('dns').promises.lookup('other.example').catch(e => e.code)) })()`
      // an author may ask for it twice
      const target = { host: 'granted.example', port }
      const egress = { targets: [target, target], proxyPort: 3128 }
      const { seen, decisions } = await serve(script, granted(port), egress)
      expect(seen).toEqual(['echo hi', expect.stringMatching(/^HTTP\/1.1 200 [^\n]+\r\n\r\necho $/), 1, 'ENOTFOUND'])
      expect(decisions.map(({ allowed, address }) => [allowed, address])).toEqual([
        [true, '127.0.0.1'],
        [true, '127.0.0.1'],
      ])
    })

    it('is at the port of the host where that is below 1024, and gives the run no capability for it', async () => {
      const script = `;(async () => { print(await at('granted.example', 443)); print(require('fs').readFileSync('/proc/self/status', 'utf8').match(/Cap(Eff|Prm|Bnd|Amb):\\s+(\\w+)/g).every(line => /\\s0+$/.test(line))) })()`
      const policy = { ...granted(443), hosts: [{ host: 'granted.example', subdomains: false, port: 443 }] }
      const { seen, decisions } = await serve(script, policy, { targets: [{ host: 'granted.example', port: 443 }] })
      // it leads to loopback, which nothing lists: the decision is the node's, whoever listens
      expect(seen).toEqual(['ECONNRESET', true])
      expect(decisions).toMatchObject([{ host: 'granted.example', port: 443, allowed: false }])
    })

    const own = Object.values(networkInterfaces()).flatMap((found) => found?.map(({ address }) => address) ?? [])
    it.each([
      ['a host that is not granted, by name', 'other.example'],
      ['a host that is not granted, by its address', '127.0.0.1'],
      ['link-local metadata', '169.254.169.254'],
      ['link-local metadata, by a granted name', 'metadata.example'],
      ["the Docker host's own bridge", '172.17.0.1'],
      ["the Docker host's own bridge, by a granted name", 'bridge.example'],
      ['loopback, by a granted name that a stranger points there', 'rebinding.example'],
      ['IPv6', '::1'],
      ['IPv6, by a granted name', 'six.example'],
      ['IPv4 in IPv6', '::ffff:127.0.0.1'],
      ...[...new Set(own)]
        .filter((address) => !address.includes('%'))
        .map((address) => [`this machine at ${address}`, address]),
    ])('does not lead to %s', async (_, host) => {
      await using server = await listening('::')
      const { port } = server
      const names = ['metadata.example', 'rebinding.example', 'bridge.example', 'six.example']
      const policy = granted(port, { hosts: names.map((name) => ({ host: name, subdomains: false, port })) })
      const script = `;(async () => { print(await through('${host}', ${port})); print(await at('${host}', ${port})) })()`
      const { seen, decisions } = await serve(script, policy, { targets: [], proxyPort: 3128 })
      expect(seen[0]).toMatch(/^HTTP\/1.1 403 .*(is not among the hosts that may be reached|not a public address)/)
      expect(['ECONNREFUSED', 'ENETUNREACH', 'ENOTFOUND', 'EADDRNOTAVAIL', 'EINVAL']).toContain(seen[1])
      expect(decisions).toMatchObject([{ allowed: false }])
      expect(server.reached).toBe(0)
    })

    it('stands for siblings at each address of loopback, and takes no port of the run', async () => {
      const script = `;(async () => { for (const host of ['127.200.1.2', '127.255.255.254']) print(await at(host, 3201))
        print(await at('127.0.0.1', 3200)); net.createServer().listen(8080, '0.0.0.0', function () { print('free'); this.close() }) })()`
      const egress = { targets: [], siblings: { list: 3200, ports: [{ name: 'peers', port: 3201 }] } }
      const { seen, decisions } = await serve(script, { hosts: [], addresses: [] }, egress)
      expect(seen).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'free'])
      const asked = decisions.map(({ host, port }) => `${host}:${port}`)
      expect(asked).toEqual(['127.200.1.2:3201', '127.255.255.254:3201', '127.0.0.1:3200'])
    })

    it('is cut where a new policy does not grant it any more, at once', async () => {
      await using server = await listening('127.0.0.1', (socket) => void socket.write('open\n'))
      const { port } = server
      const script = `;(async () => { const held = at('granted.example', ${port}, ''); print(await Promise.race([held, new Promise(resolve => setTimeout(resolve, 20000, 'kept').unref())])); print(await at('granted.example', ${port})) })()`
      const egress = { targets: [{ host: 'granted.example', port }] }
      const { seen, decisions } = await serve(script, granted(port), egress, {
        async during({ decisions, revise }) {
          while (decisions.length === 0 || server.reached === 0) await new Promise((resolve) => setImmediate(resolve))
          revise({ hosts: [], addresses: [] })
        },
      })
      expect(seen).toEqual([expect.stringMatching(/^(open\n|ECONNRESET)$/), 'ECONNRESET'])
      expect(decisions.map(({ allowed, reason }) => [allowed, reason])).toEqual([
        [true, undefined],
        [false, 'the policy in force does not allow it any more'],
        [false, `granted.example:${port} is not among the hosts that may be reached`],
      ])
    })

    it('fails at once while no node serves it, and leads on when one does again', async () => {
      await using server = await listening('127.0.0.1')
      const { port } = server
      const script = `require('net').createServer(s => { s.on('error', () => {}).once('data', async () => s.end(await at('granted.example', ${port}))) }).listen(4000, '127.0.0.1')`
      const egress = { targets: [{ host: 'granted.example', port }] }
      const through = createEgress(machineNetwork(system.clock, { system: lookup }), { policy: granted(port) })
      await runToEnd(executor(), await plan(REACH + script, { egress, ports: [4000] }), async (run) => {
        const ask = async () => {
          const pipe = await run.connect(4000)
          pipe.write('go')
          let all = ''
          for await (const piece of pipe) all += piece
          return all
        }
        const first = await run.serveEgress?.(through, {})
        expect(await ask()).toBe('echo hi')
        await first?.[Symbol.asyncDispose]()
        expect(await ask()).toBe('ECONNRESET')
        await using _again = await run.serveEgress?.(through, {})
        expect(await ask()).toBe('echo hi')
        await run.stop({ graceMs: 0 })
      })
    })

    it('carries megabytes both ways unharmed, and a reader that does not read stops only itself', async () => {
      const bytes = 8 * 2 ** 20
      await using server = await listening('127.0.0.1', (socket) => void socket.pipe(socket))
      const { port } = server
      const script = `const bytes = ${bytes}
        const hash = () => require('crypto').createHash('sha256'), text = Buffer.alloc(bytes, 'abcdefgh')
        // five that send for ever and read nothing
        for (let n = 0; n < 5; n++) { const idle = net.connect(${port}, 'granted.example').on('error', () => {}).pause(); const feed = () => { while (idle.write(text.subarray(0, 65536))); idle.once('drain', feed) }; idle.on('connect', feed) }
        setTimeout(() => { const socket = net.connect({ host: 'granted.example', port: ${port}, allowHalfOpen: true }), got = hash(); let n = 0
        socket.on('data', d => { got.update(d); n += d.length }).on('end', () => { print([n, got.digest('hex') === hash().update(text).digest('hex')]); process.exit() }); socket.end(text) }, 500)`
      const egress = { targets: [{ host: 'granted.example', port }] }
      const before = process.memoryUsage().rss
      const { seen, end } = await serve(script, granted(port), egress)
      expect(seen).toEqual([[bytes, true]])
      // what the other five sent counts, too
      expect(end.receivedBytes).toBeGreaterThanOrEqual(bytes)
      expect(end.sentBytes).toBeGreaterThan(bytes)
      expect(process.memoryUsage().rss - before).toBeLessThan(128 * 2 ** 20)
    })

    it('holds a bounded number of connections, whatever the run asks for', async () => {
      await using server = await listening('127.0.0.1', () => {})
      const { port } = server
      const script = `let open = 0, failed = 0
        const sockets = Array.from({ length: 300 }, (_, n) => net.connect(n % 2 ? 3128 : ${port}, n % 2 ? '127.0.0.1' : 'granted.example').on('error', () => {}).on('close', () => failed++))
        // half of them say nothing to the proxy; the others are connections to the host
        setTimeout(() => { print(failed); process.exit() }, 3000)`
      const egress = { targets: [{ host: 'granted.example', port }], proxyPort: 3128 }
      const { seen } = await serve(script, granted(port), egress)
      expect(seen[0]).toBeGreaterThanOrEqual(300 - 128)
      expect(server.reached).toBeLessThanOrEqual(64)
    })
  })
}

/** Answers "echo " and what was said, unless something else is to be done with a connection. */
async function listening(host: string, serve?: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const state = { reached: 0 }
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    state.reached++
    sockets.add(socket)
    socket.on('error', () => {})
    if (serve !== undefined) return serve(socket)
    let said = ''
    socket.on('data', (piece) => (said += piece)).on('end', () => socket.end(`echo ${said}`))
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    get reached() {
      return state.reached
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
