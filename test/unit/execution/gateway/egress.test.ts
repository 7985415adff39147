import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { duplexPair, PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Egress, serveEgress } from '../../../../src/egress/index.ts'
import { startEgress } from '../../../../src/execution/gateway/egress.ts'
import { freePort } from '../../../fixtures/net.ts'

/** A gateway's proxy, and a way to ask it. `reach`: what the node connects it to. */
async function startProxy(reach: Egress['connect']) {
  const proxyPort = await freePort()
  const gateway = await startEgress({ listeners: [], proxyPort })
  const [inside, outside] = duplexPair()
  const served = serveEgress({ connect: reach, revise: () => {} }, outside, { maxConnections: 64 })
  gateway.attach(inside)
  onTestFinished(async () => {
    gateway[Symbol.dispose]()
    await served[Symbol.asyncDispose]()
  })
  return (request: string) => {
    const socket = connect(proxyPort, '127.0.0.1', () => void socket.write(`${request}\r\nhost: x\r\n\r\n`))
    onTestFinished(() => void socket.destroy())
    return socket.on('error', () => {})
  }
}

/** What a client gets of a server that answers with `lines`, and then closes. */
async function answerOf(lines: string[], headers: string[] = []): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(lines.join('\r\n')))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const ask = await startProxy(async (_, port) => connect({ port, host: '127.0.0.1', allowHalfOpen: true }))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return text(ask([`GET ${url} HTTP/1.1`, 'connection: close', ...headers].join('\r\n'))).catch(() => 'reset')
}

describe('the proxy of a run', () => {
  it.each([
    ['that cannot be said again', ['HTTP/1.1 099 x', 'content-length: 0', '', '']],
    ['of another protocol', ['HTTP/1.1 101 x', 'connection: upgrade', 'upgrade: y', '', '']],
    ['that is no HTTP', ['hello', '', '']],
  ])('closes at an answer %s, and stays', async (_, lines) => {
    expect(await answerOf(lines)).toBe('')
  })

  it('closes where an answer is shorter than it says', async () => {
    expect(await answerOf(['HTTP/1.1 200 OK', 'content-length: 100', '', 'short'])).toMatch(/content-length: 100/)
  })

  it('passes on what a client says of its own connection to nobody', async () => {
    const answer = await answerOf(['HTTP/1.1 200 OK', 'content-length: 2', '', 'hi'], ['trailer: a', 'upgrade: b'])
    expect(answer).toMatch(/^HTTP\/1.1 200 OK[\s\S]*hi$/)
  })

  it('has 64 places, also while connections are being made', async () => {
    let asked = 0
    const all = Promise.withResolvers<void>()
    const ask = await startProxy(async () => {
      if (++asked === 64) all.resolve()
      await all.promise
      return new PassThrough()
    })
    const sockets = Array.from({ length: 64 }, () => ask('CONNECT slow.example:443 HTTP/1.1'))
    const answers = await Promise.all(sockets.map((socket) => once(socket, 'data')))
    expect(new Set(answers.map(String))).toEqual(new Set(['HTTP/1.1 200 Connection Established\r\n\r\n']))
    expect(await text(ask('CONNECT slow.example:443 HTTP/1.1'))).toBe('')
  })
})
