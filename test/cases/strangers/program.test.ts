import { chmod, chown, readdir, readFile, stat } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { listFolder, packEntries } from '../../../src/code/index.ts'
import { loadToken } from '../../../src/config/index.ts'
import { announce, bytesOf, HELLO_WEB, newSigner } from '../../fixtures/node/nodes.ts'
import { openPlace, test } from '../../fixtures/program/program.ts'
import { tempDir } from '../../fixtures/temp-dir.ts'
import { needs } from '../../require.ts'

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

/** What the API answers somebody, by its status; 0 for none. */
function health(port: number, { localAddress, token, agent }: Caller): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const options = { host: '127.0.0.1', port, path: '/health', localAddress, agent: agent ?? false, headers }
  return new Promise((resolve) => {
    const asked = request(options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode ?? 0)))
    asked.on('error', () => resolve(0)).end()
  })
}

test('S10: 300 connections that say nothing and come again keep out neither the operator nor another address', async ({
  place,
}) => {
  const { ready, api: local } = await place.start()
  const port = Number(new URL(ready.api as string).port)
  const token = await loadToken(place.dir)
  const socketPath = (await readFile(join(place.dir, 'data', 'api.socket'), 'utf8')).trim()
  expect(socketPath).toBe(ready.socket)
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  expect((await stat(dirname(socketPath))).mode & 0o777).toBe(0o700)

  // a connection that has shown the token once is nobody else's to displace
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const kept = { localAddress: '127.0.0.1', token, agent }
  expect(await health(port, kept)).toBe(200)
  {
    using silent = silentClients(port, 300)
    await expect.poll(async () => ((await health(port, kept)) === 200 ? silent.opened : 0)).toBeGreaterThan(300)
    const answers = { socket: 0, otherAddress: 0, kept: 0 }
    for (let call = 0; call < CALLS; call++) {
      if ((await local.services()).length === 0) answers.socket++
      if ((await health(port, { localAddress: '127.0.0.2' })) === 200) answers.otherAddress++
      if ((await health(port, kept)) === 200) answers.kept++
    }
    expect(answers).toEqual({ socket: CALLS, otherAddress: CALLS, kept: CALLS })
    const listed = await place.ran('list', '--json')
    expect([listed.code, listed.out]).toEqual([0, '[]\n'])
  }
  // a new connection from the attacker's own address competes with him: it gets through when he has left
  await expect.poll(() => health(port, { localAddress: '127.0.0.1', token })).toBe(200)
})

test('S10: the socket is there without TCP, and goes with the node', async () => {
  await using place = await openPlace({ node: { API: false } })
  const { program, ready } = await place.start()
  expect(ready.api).toBe(null)
  expect((await place.ran('peers', '--json')).out).toBe('[]\n')
  program.child.kill('SIGTERM')
  expect(await program.ended()).toBe(0)
  await expect(stat(ready.socket)).rejects.toThrow('ENOENT')
  const after = await place.ran('list')
  expect([after.code, after.err]).toEqual([3, expect.stringContaining('no node runs in')])
})

test.skipIf(!needs('root'))(
  "S18: a node does not start in somebody else's folder for its sockets, and says what to do",
  async () => {
    const runtime = await tempDir()
    await chmod(runtime, 0o777)
    await chown(runtime, 1234, 1234)
    await using place = await openPlace({ node: { RUNTIME: runtime } })
    const { code, err } = await place.ran('start', place.dir)
    expect(code).toBe(2)
    expect(err).toContain(`${runtime}, the folder for this node's sockets, belongs to user 1234`)
    expect(await readdir(runtime)).toEqual([])
  },
)

/** What a terminal obeys or nobody sees, one of each kind; line ends and tabs are fields' own affair. */
const HOSTILE = [
  ...['\u001b[2J', '\u0007', '\u0085', '\u009b31m', '\u00ad', '\u061c', '\u115f', '\u180e', '\u200b', '\u200e\u200f'],
  ...['\u2028', '\u202a\u202e', '\u2060\u2062', '\u2066\u2069', '\ufe0f', '\ufeff', '\ufff9'],
  ...['\u{e0001}\u{e0041}\u{e007f}', '\u{e0100}'],
]
const SEEN = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

function unseenIn(text: string): string[] {
  return [...text.replace(/[\n\t]/g, '')].filter((each) => SEEN.test(each)).map((each) => JSON.stringify(each))
}

test('S19: no output of the program has a character that a terminal obeys or that nobody sees', async () => {
  await using place = await openPlace({ node: { LOG_LEVEL: 'trace' } })
  const { program, api } = await place.start()
  const { code } = await api.addArchive(packEntries(await listFolder(HELLO_WEB)))
  const ids: string[] = []
  for (const text of HOSTILE) {
    const service = announce(newSigner(), { name: `a-${ids.length}`, code, title: `x${text}y`, desc: `x${text}y` })
    const result = await api.announce(bytesOf(service)).catch((error: Error) => error)
    // what the wire itself refuses cannot be shown
    if (!(result instanceof Error)) ids.push(result.id)
    else expect(unseenIn(result.message)).toEqual([])
  }
  expect(ids.length).toBeGreaterThan(5)
  const listed = await place.ran('list', '--all', '--json')
  expect(unseenIn(listed.out)).toEqual([])
  const titles = (JSON.parse(listed.out) as { title: string }[]).map(({ title }) => title)
  expect(titles.some((title) => SEEN.test(title))).toBe(true)
  for (const id of [ids[0], ids.at(-1)] as string[]) {
    for (const argv of [['status'], ['status', '--json'], ['explain']]) {
      const { code: exit, out, err } = await place.ran(...argv, id)
      expect([exit, unseenIn(out + err)]).toEqual([0, []])
    }
  }
  // events of the running node, its log, and errors that quote what was typed
  expect(unseenIn(program.stdout + program.stderr)).toEqual([])
  for (const argv of [
    ['status', 'a\u001b[2J\u009b\u{e0041}'],
    ['lo\u202egs'],
    ['list', '--api', 'x\u009b'],
    ['publish', '/none/\u001b[31m\u2062', '--json'],
  ]) {
    const { code: exit, out, err } = await place.ran(...argv)
    expect(exit).not.toBe(0)
    expect(unseenIn(out + err)).toEqual([])
  }
}, 240_000)
