import { readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { createApiClient } from '../../src/api/index.ts'
import { loadToken } from '../../src/config/index.ts'
import { openPlace } from './program.ts'

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

function health(port: number, localAddress: string, token?: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const asked = request(
      { host: '127.0.0.1', port, path: '/health', localAddress, agent: false, headers },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    asked.on('error', () => resolve(0))
    asked.end()
  })
}

test('300 connections that say nothing and come again keep neither the operator nor another address out', async () => {
  await using place = await openPlace()
  const { ready } = await place.start()
  const port = Number(new URL(ready.api as string).port)
  const token = await loadToken(place.dir)
  const socketPath = (await readFile(join(place.dir, 'data', 'api.socket'), 'utf8')).trim()
  expect(socketPath).toBe(ready.socket)
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(socketPath))).mode & 0o777).toBe(0o700)

  using silent = silentClients(port, 300)
  await expect.poll(() => silent.opened).toBeGreaterThan(300)
  const local = createApiClient({ url: 'http://localhost', socketPath })
  const answers = { socket: 0, sameAddress: 0, otherAddress: 0 }
  for (let call = 0; call < CALLS; call++) {
    if ((await local.services()).length === 0) answers.socket++
    if ((await health(port, '127.0.0.1', token)) === 200) answers.sameAddress++
    if ((await health(port, '127.0.0.2')) === 200) answers.otherAddress++
  }
  expect(answers.socket).toBe(CALLS)
  expect(answers.otherAddress).toBe(CALLS)
  // from the attacker's own address a call competes with him until its header is read
  expect(answers.sameAddress).toBeGreaterThan(CALLS / 2)
  const listed = await place.ran(['list', '--json'])
  expect([listed.code, listed.out]).toEqual([0, '[]\n'])
})

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
