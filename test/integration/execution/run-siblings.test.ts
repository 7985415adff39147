import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { duplexPair } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NotFoundError } from '../../../src/base/errors.ts'
import type { Siblings } from '../../../src/execution/index.ts'
import type { SiblingList } from '../../../src/execution/siblings/sibling-list.ts'
import { engineOf, PLACES } from '../../fixtures/execution/places.ts'
import { grantOf, linesOf, makeRunDirs, talk, until, writeCode } from '../../fixtures/execution/run-fixture.ts'
import { serviceOf, supervise } from '../../fixtures/execution/supervised.ts'
import { needs } from '../../require.ts'

/** Told `list`, it answers what it reads of its siblings; told a host and port, what it hears there, or why it hears nothing. */
const SERVICE = `const http = require('http'), net = require('net')
  net.createServer().listen(9000, '0.0.0.0')
  const list = end => http.get(process.env.THUNDERCLOUD_SIBLINGS, a => { let all = ''
    a.on('data', d => all += d).on('end', () => end(all)) }).on('error', e => end(e.code))
  const hear = (target, end) => { const [host, port] = target.split(':'), out = net.connect({ host, port, allowHalfOpen: true })
    let all = ''; out.setTimeout(3000, () => out.destroy(new Error('silent')))
    out.on('error', e => end(e.code)).on('data', d => all += d).on('end', () => end(all)); out.end('hello') }
  net.createServer({ allowHalfOpen: true }, s => { let said = ''; s.on('error', () => {}).on('data', d => said += d)
    s.on('end', () => said === '' ? s.end() : said === 'list' ? list(all => s.end(all)) : hear(said, all => s.end(all))) }).listen(8080, '127.0.0.1')`

async function echo() {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe.each(PLACES.filter(({ need }) => needs(need)))('service:self on $name ($need)', ({ name, need, create }) => {
  const apart = engineOf({ need })

  it('gives a run the list of its siblings and a tunnel to each, and nothing else', async () => {
    const port = await echo()
    const known = ['near', 'gone', 'far'].map((peer) => ({ peer, state: 'running' as const }))
    const siblings: Siblings = {
      self: 'here',
      list: () => known,
      async connect(service, peer, portName) {
        if (peer === 'gone') {
          const [tunnel, end] = duplexPair()
          end.once('data', () => end.write('hel', () => tunnel.destroy(new Error('the connection closed'))))
          return tunnel
        }
        if (peer !== 'near') throw new NotFoundError('this node does not run the service')
        expect([service, portName]).toEqual(['service-1', 'peers'])
        return connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      },
    }
    const dirs = await makeRunDirs()
    onTestFinished(() => dirs[Symbol.asyncDispose]())
    const code = await writeCode(dirs, { 'main.js': SERVICE })
    let ALLOW = ['service:self']
    const { supervisor, close } = supervise(dirs, {
      executors: [create(dirs, { docker: apart()?.config ?? {} })],
      code: { obtain: async () => ({ dir: code, release: async () => {} }), keep: () => new DisposableStack() },
      policy: () => ({ NETCAP: ALLOW.length === 0 ? {} : { MODE: 'allowlist', ALLOW } }),
      ...{ siblings, graceMs: 2000, stopOnClose: true },
    })
    onTestFinished(close)
    await supervisor.boot()
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'peers', port: 9000, access: 'siblings' as const },
    ]
    const network = ['service:self']
    const run = { command: ['node', 'main.js'], ports }
    supervisor.run({ ...serviceOf(run), network }, grantOf(name, { network: { mode: 'allowlist', allow: network } }))
    await until(async () => supervisor.status('service-1')?.healthy)
    const tell = async (text: string) => talk(await supervisor.connect('service-1', 'http'), text)
    const list = async () => JSON.parse(await tell('list')) as SiblingList

    const first = await list()
    expect(first).toMatchObject({ self: 'here', siblings: known.map(({ peer, state }) => ({ peerId: peer, state })) })
    const [near = '', gone = '', far = ''] = first.siblings.map(({ at }) => at.peers ?? '')
    expect([near, far]).toEqual([expect.stringMatching(/^127\.\d+\.\d+\.\d+:3201$/), expect.not.stringMatching(near)])
    expect(await tell(near)).toBe('hello')
    // what was cut is not what has ended
    for (const other of [gone, far, '127.99.1.1:3201', '127.0.0.1:3201']) expect(await tell(other)).toBe('ECONNRESET')
    // no listener, and no interface but loopback
    for (const other of [near.replace('3201', '9001'), '192.0.2.1:80']) {
      expect(await tell(other)).toMatch(/^(ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|EPERM|EACCES)$/)
    }
    known.splice(1)
    expect((await list()).siblings).toEqual([first.siblings[0]])
    ALLOW = []
    supervisor.reviseNetworks()
    expect([await list(), await tell(near)]).toEqual([{ self: 'here', siblings: [] }, 'ECONNRESET'])
    const lines = (await linesOf(`${dirs.logs}/service-1`)).node.filter((line) => line.startsWith('network:'))
    expect(lines[0]).toBe('network: sibling near:3201 allowed')
    expect(lines.at(-1)).toMatch(/^network: sibling near:3201 refused: the policy in force/)
  })
})
