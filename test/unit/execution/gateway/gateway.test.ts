import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { NotFoundError, UnavailableError } from '../../../../src/base/errors.ts'
import { connectThroughGateway, requestGateway } from '../../../../src/execution/gateway/client.ts'
import { type GatewayServer, startGatewayServer } from '../../../../src/execution/gateway/server.ts'
import { talk } from '../../../fixtures/execution/run-fixture.ts'

describe('the door', () => {
  const clock = systemClock()
  let dir: string
  let path: string
  let door: GatewayServer | undefined
  let service: Server | undefined
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tc-door-'))
    path = join(dir, 's')
  })
  afterEach(async () => {
    door?.close()
    service?.close()
    await rm(dir, { recursive: true, force: true })
  })

  const listen = (server: Server) =>
    new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    )

  async function echo(): Promise<number> {
    service = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
    return listen(service)
  }

  it('carries bytes both ways, with half-close', async () => {
    const port = await echo()
    door = await startGatewayServer({ path, ports: [port] })
    const texts = ['', 'a', 'x'.repeat(3_000_000)]
    for (const text of texts) expect(await talk(await connectThroughGateway(path, port, { clock }), text)).toBe(text)
  })

  it('lets the service speak on after the caller has ended', async () => {
    service = createServer({ allowHalfOpen: true }, (socket) => {
      socket.resume().on('end', () => setTimeout(() => socket.end('late'), 200))
    })
    const port = await listen(service)
    door = await startGatewayServer({ path, ports: [port] })
    expect(await talk(await connectThroughGateway(path, port, { clock }), 'hello')).toBe('late')
  })

  it('is reached again where its socket, or the folder of it, was taken away and the folder is there again', async () => {
    const port = await echo()
    door = await startGatewayServer({ path, ports: [port] })
    const open = await connectThroughGateway(path, port, { clock })
    await rm(path)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect(await talk(await connectThroughGateway(path, port, { clock }), 'again')).toBe('again')
    await rm(dir, { recursive: true })
    await mkdir(dir)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect(await talk(await connectThroughGateway(path, port, { clock }), 'and again')).toBe('and again')
    // what was connected before is not cut
    expect(await talk(open, 'still')).toBe('still')
  })

  it('waits for a port that does not listen yet, and for itself', async () => {
    const spare = createServer()
    const port = await listen(spare)
    await new Promise((resolve) => spare.close(resolve))
    const pending = connectThroughGateway(path, port, { clock })
    await new Promise((resolve) => setTimeout(resolve, 100))
    door = await startGatewayServer({ path, ports: [port] })
    await new Promise((resolve) => setTimeout(resolve, 100))
    service = createServer((socket) => socket.on('error', () => {}).end('now'))
    await new Promise<void>((resolve) => service?.listen(port, '127.0.0.1', resolve))
    expect(await talk(await pending, '')).toBe('now')
  })

  it('says what is wrong when it does not come to that', async () => {
    await expect(connectThroughGateway(path, 1, { clock, patienceMs: 0 })).rejects.toThrow(
      /gateway of the run does not accept connections \(ENOENT\)/,
    )
    door = await startGatewayServer({ path, ports: [1] })
    await expect(connectThroughGateway(path, 1, { clock, patienceMs: 0 })).rejects.toThrow(UnavailableError)
    await expect(connectThroughGateway(path, 1, { clock, patienceMs: 0 })).rejects.toThrow(/nothing listens on port 1/)
    await expect(connectThroughGateway(path, 2, { clock })).rejects.toThrow(NotFoundError)
  })

  it('gives up with the signal', async () => {
    const enough = new AbortController()
    setTimeout(() => enough.abort(new Error('enough')), 50)
    await expect(connectThroughGateway(path, 1, { clock, signal: enough.signal })).rejects.toThrow('enough')
  })

  it('ends a pipe when the service ends it, or dies', async () => {
    service = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()))
    const port = await listen(service)
    door = await startGatewayServer({ path, ports: [port] })
    const pipe = await connectThroughGateway(path, port, { clock })
    pipe.on('error', () => {})
    pipe.write('hello')
    await new Promise((resolve) => pipe.resume().once('end', resolve))
  })

  it('survives whatever is said to it', async () => {
    const port = await echo()
    door = await startGatewayServer({ path, ports: [port] })
    for (const junk of [
      '',
      '\n',
      '{}\n',
      'null\n',
      '[1]\n',
      '{"connect":"80"}\n',
      `${'x'.repeat(5000)}`,
      '\0\xff\n',
      `{"connect":${port}`,
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect({ path }, () => socket.end(junk))
        socket
          .on('error', () => {})
          .resume()
          .on('close', () => resolve())
      })
    }
    await expect(requestGateway(path, { what: 1 })).rejects.toThrow(/EPROTO/)
    expect(await talk(await connectThroughGateway(path, port, { clock }), 'still there')).toBe('still there')
  })

  it('ends what goes through it when it closes', async () => {
    const port = await echo()
    door = await startGatewayServer({ path, ports: [port] })
    const pipe = await connectThroughGateway(path, port, { clock })
    const closed = new Promise((resolve) =>
      pipe
        .on('error', () => {})
        .resume()
        .once('end', resolve),
    )
    door.close()
    await closed
  })
})
