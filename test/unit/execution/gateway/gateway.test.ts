import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { NotFoundError, UnavailableError } from '../../../../src/base/errors.ts'
import { connectThroughGateway, requestGateway } from '../../../../src/execution/gateway/client.ts'
import { type GatewayServer, startGatewayServer } from '../../../../src/execution/gateway/server.ts'
import { talk } from '../../../fixtures/execution/run-fixture.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

describe('the gateway', () => {
  const clock = systemClock()
  let dir: string
  let path: string
  let gateway: GatewayServer | undefined
  let service: Server | undefined
  beforeEach(async () => {
    dir = await tempDir()
    path = join(dir, 's')
  })
  afterEach(() => {
    gateway?.close()
    service?.close()
  })

  const listen = (server: Server) =>
    new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )

  /** A gateway to a service; the port of that. */
  async function serve(onConnection: (socket: Socket) => void): Promise<number> {
    service = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket.on('error', () => {})))
    const port = await listen(service)
    gateway = await startGatewayServer({ path, ports: [port] })
    return port
  }
  const echo = () => serve((socket) => void socket.pipe(socket))
  const connecting = (port: number, options = {}) => connectThroughGateway(path, port, { clock, ...options })
  const say = async (port: number, text: string) => talk(await connecting(port), text)

  it('carries bytes both ways, with half-close', async () => {
    const port = await echo()
    const texts = ['', 'a', 'x'.repeat(3_000_000)]
    for (const text of texts) expect(await say(port, text)).toBe(text)
  })

  it('lets the service speak on after the caller has ended', async () => {
    const port = await serve((socket) => {
      socket.resume().on('end', () => setTimeout(() => socket.end('late'), 200))
    })
    expect(await say(port, 'hello')).toBe('late')
  })

  it('is reached again where its socket, or the folder of it, was taken away and the folder is there again', async () => {
    const port = await echo()
    const open = await connecting(port)
    await rm(path)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect(await say(port, 'again')).toBe('again')
    await rm(dir, { recursive: true })
    await mkdir(dir)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect(await say(port, 'and again')).toBe('and again')
    // what was connected before is not cut
    expect(await talk(open, 'still')).toBe('still')
  })

  it('waits for a port that does not listen yet, and for itself', async () => {
    const spare = createServer()
    const port = await listen(spare)
    await new Promise((resolve) => spare.close(resolve))
    const pending = connecting(port)
    await new Promise((resolve) => setTimeout(resolve, 100))
    gateway = await startGatewayServer({ path, ports: [port] })
    await new Promise((resolve) => setTimeout(resolve, 100))
    service = createServer((socket) => socket.on('error', () => {}).end('now'))
    await new Promise<void>((resolve) => service?.listen(port, '127.0.0.1', resolve))
    expect(await talk(await pending, '')).toBe('now')
  })

  it('says what is wrong when it does not come to that', async () => {
    const atOnce = () => connecting(1, { patienceMs: 0 })
    await expect(atOnce()).rejects.toThrow(/gateway of the run does not accept connections \(ENOENT\)/)
    gateway = await startGatewayServer({ path, ports: [1] })
    await expect(atOnce()).rejects.toThrow(UnavailableError)
    await expect(atOnce()).rejects.toThrow(/nothing listens on port 1/)
    await expect(connecting(2)).rejects.toThrow(NotFoundError)
  })

  it('keeps no connection of a request that was answered', async () => {
    let left = false
    service = createServer(
      (socket) =>
        void socket
          .on('close', () => (left = true))
          .resume()
          .write('yes\n'),
    )
    await new Promise<void>((resolve) => service?.listen(path, resolve))
    expect(await requestGateway(path, {})).toBe('yes')
    await expect.poll(() => left).toBe(true)
  })

  it('gives up with the signal', async () => {
    const enough = new AbortController()
    setTimeout(() => enough.abort(new Error('enough')), 50)
    await expect(connecting(1, { signal: enough.signal })).rejects.toThrow('enough')
  })

  it('ends a pipe when the service ends it, or dies', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const pipe = await connecting(port)
    pipe.on('error', () => {})
    pipe.write('hello')
    await new Promise((resolve) => pipe.resume().once('end', resolve))
  })

  it('survives whatever is said to it', async () => {
    const port = await echo()
    const values = ['', '{}', 'null', '[1]', '{"connect":"80"}', '\0\xff'].map((text) => `${text}\n`)
    for (const junk of ['', ...values, 'x'.repeat(5000), `{"connect":${port}`]) {
      const socket = connect({ path }, () => socket.end(junk))
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.on('error', () => {}).resume()
      await closed
    }
    await expect(requestGateway(path, { what: 1 })).rejects.toThrow(/EPROTO/)
    expect(await say(port, 'still there')).toBe('still there')
  })

  it('ends what goes through it when it closes', async () => {
    const port = await echo()
    const pipe = await connecting(port)
    const closed = new Promise((resolve) => pipe.once('end', resolve))
    pipe.on('error', () => {}).resume()
    gateway?.close()
    await closed
  })
})
