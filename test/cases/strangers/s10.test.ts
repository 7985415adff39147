import { readFile, stat } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { createApiClient } from '../../../src/api/index.ts'
import { loadToken } from '../../../src/config/index.ts'
import { openPlace } from '../../fixtures/program/program.ts'

const CALLS = 20

/** Keeps `count` connections open that say nothing, and opens each again when it is closed. */
function silentClients(port: number, count: number): Disposable & { readonly opened: number } {
  const open = new Set<Socket>()
  let opened = 0
  let over = false
  const dial = () => {
    if (over) return
    const socket = connect({ port, host: '127.0.0.1' })
    open.add(socket)
    socket.once('connect', () => void opened++)
    socket.on('error', () => {})
    socket.once('close', () => {
      open.delete(socket)
      setImmediate(dial)
    })
  }
  for (let index = 0; index < count; index++) dial()
  return {
    get opened() {
      return opened
    },
    [Symbol.dispose]() {
      over = true
      for (const socket of open) socket.destroy()
    },
  }
}

type Caller = { readonly localAddress: string; readonly token?: string; readonly agent?: Agent }

function health(port: number, { localAddress, token, agent }: Caller): Promise<number> {
  return new Promise((resolve) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const asked = request(
      { host: '127.0.0.1', port, path: '/health', localAddress, agent: agent ?? false, headers },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    asked.on('error', () => resolve(0))
    asked.end()
  })
}

test('300 connections that say nothing and come again keep out neither the operator nor another address', async () => {
  await using place = await openPlace()
  const { ready } = await place.start()
  const port = Number(new URL(ready.api as string).port)
  const token = await loadToken(place.dir)
  const socketPath = (await readFile(join(place.dir, 'data', 'api.socket'), 'utf8')).trim()
  expect(socketPath).toBe(ready.socket)
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(socketPath))).mode & 0o777).toBe(0o700)

  // a connection that has shown the token once is nobody else's to displace
  using agent = disposableAgent()
  const kept = { localAddress: '127.0.0.1', token, agent: agent.agent }
  expect(await health(port, kept)).toBe(200)
  {
    using silent = silentClients(port, 300)
    await expect.poll(async () => ((await health(port, kept)) === 200 ? silent.opened : 0)).toBeGreaterThan(300)
    const local = createApiClient({ url: 'http://localhost', socketPath })
    const answers = { socket: 0, otherAddress: 0, kept: 0 }
    for (let call = 0; call < CALLS; call++) {
      if ((await local.services()).length === 0) answers.socket++
      if ((await health(port, { localAddress: '127.0.0.2' })) === 200) answers.otherAddress++
      if ((await health(port, kept)) === 200) answers.kept++
    }
    expect(answers).toEqual({ socket: CALLS, otherAddress: CALLS, kept: CALLS })
    const listed = await place.ran(['list', '--json'])
    expect([listed.code, listed.out]).toEqual([0, '[]\n'])
  }
  // a new connection from the attacker's own address competes with him: it gets through when he has left
  await expect.poll(() => health(port, { localAddress: '127.0.0.1', token })).toBe(200)
})

function disposableAgent(): Disposable & { readonly agent: Agent } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return { agent, [Symbol.dispose]: () => agent.destroy() }
}

test('the socket is there without TCP, and goes with the node', async () => {
  await using place = await openPlace({ node: { API: false } })
  const { program, ready } = await place.start()
  expect(ready.api).toBe(null)
  expect((await place.ran(['peers', '--json'])).out).toBe('[]\n')
  program.child.kill('SIGTERM')
  expect(await program.ended()).toBe(0)
  await expect(stat(ready.socket as string)).rejects.toThrow('ENOENT')
  const after = await place.ran(['list'])
  expect([after.code, after.err]).toEqual([3, expect.stringContaining('no node runs in')])
})
