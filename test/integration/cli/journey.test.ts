import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listen } from '../../fixtures/net.ts'
import { HELLO_WEB } from '../../fixtures/node/nodes.ts'
import { type Program, runProgram } from '../../fixtures/program/process.ts'
import { openShell, type Shell } from '../../fixtures/program/shell.ts'

const INIT = ['--network', 'test', '--private', '--listen', '/ip4/127.0.0.1/tcp/0', '--api', '127.0.0.1:0']

type Ready = { peerId: string; address: string; multiaddrs: string[]; api: string }

async function readyOf(program: Program): Promise<Ready> {
  return JSON.parse(await program.line((line) => line.includes('"event":"ready"'))) as Ready
}

async function withFolder(): Promise<Shell> {
  const shell = openShell()
  const { code, stderr } = await shell.run(['init', 'node', ...INIT])
  expect([code, stderr]).toEqual([0, ''])
  shell.env.THUNDERCLOUD_DIR = shell.path('node')
  return shell
}

async function say(shell: Shell, ...argv: string[]) {
  await using program = runProgram([...argv, '--json'], shell)
  const code = await program.ended()
  const lines = program.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { code, lines, stderr: program.stderr }
}

describe('start', () => {
  test('says ready and then every event, is found by commands, and ends in good order', async () => {
    using shell = await withFolder()
    await using node = runProgram(['start', '--json', '--log-level', 'warn'], shell)
    const ready = await readyOf(node)
    expect(ready.multiaddrs[0]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*\/p2p\/12D3KooW/)
    expect(ready.api).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
    const answer = await (await fetch(`${ready.api}/node`)).json()
    expect(answer).toMatchObject({ peerId: ready.peerId, network: 'test' })
    expect((await shell.run('list')).code).toBe(0)

    const second = await say(shell, 'start')
    expect(second.code).toBe(2)
    expect((JSON.parse(second.stderr.trim()) as { error: string }).error).toContain(`pid ${node.child.pid}`)
    expect((await shell.run('list')).code).toBe(0)

    const config = shell.path('node/runners/andromeda/config.json')
    const before = readFileSync(config, 'utf8')
    writeFileSync(config, before.replace('"DESC_MAX_LEN": 200', '"DESC_MAX_LEN": 100'))
    node.child.kill('SIGHUP')
    await node.line((line) => line.includes('"event":"node:policy"'))

    node.child.kill('SIGTERM')
    expect(await node.ended()).toBe(0)
    expect(existsSync(shell.path('node/data/api.url'))).toBe(false)
    expect(existsSync(shell.path('node/data/node.pid'))).toBe(false)
    await shell.refused('list', 'thundercloud start', { code: 3 })
  })

  test('ends when the process that started it is gone', async () => {
    using shell = await withFolder()
    await using node = runProgram(['start', '--json'], { ...shell, ipc: true })
    await readyOf(node)
    node.child.disconnect()
    expect(await node.ended()).toBe(0)
  })

  test('an address in use is named with its key, and nothing is left running', async () => {
    using shell = await withFolder()
    const taken = createServer()
    const port = await listen(taken)
    const settings = JSON.parse(readFileSync(shell.path('node/node.json'), 'utf8')) as object
    const write = (change: object) =>
      writeFileSync(shell.path('node/node.json'), JSON.stringify({ ...settings, ...change }))
    write({ API: `127.0.0.1:${port}` })
    const api = await say(shell, 'start')
    const inUse = new RegExp(`127\\.0\\.0\\.1:${port} is in use.*API in node\\.json`)
    expect([api.code, api.stderr]).toEqual([2, expect.stringMatching(inUse)])
    write({ LISTEN: [`/ip4/127.0.0.1/tcp/${port}`] })
    const refused = await say(shell, 'start')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/LISTEN/)])
    const doctor = await shell.json('doctor')
    expect(doctor.code).toBe(1)
    const checks = (doctor.values[0] as { checks: { what: string; outcome: string; advice?: string }[] }).checks
    const advice = 'change LISTEN in node.json'
    expect(checks.find(({ what }) => what === 'LISTEN')).toMatchObject({ outcome: 'fail', advice })
    taken.close()
  })
})

test('a service from its manifest to an answer and to its end', { timeout: 180_000 }, async () => {
  using shell = await withFolder()
  await using node = runProgram(['start', '--json', '--stop-runs', '--log-level', 'warn'], shell)
  const { multiaddrs } = await readyOf(node)
  cpSync(HELLO_WEB, shell.path('hello'), { recursive: true })
  // the node's own key: every node runs its own services, whatever sandbox this machine has
  const key = ['--key', shell.path('node/identity.pem')]
  const join = ['--join', multiaddrs[0] as string, '--network', 'test']
  const hello = shell.path('hello')

  const published = await say(shell, 'publish', hello, ...join, ...key, '--wait', '--timeout', '90s')
  expect([published.code, published.stderr]).toEqual([0, ''])
  expect(published.lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['published', 'receipt', 'running']))
  const id = published.lines[0]?.id as string

  expect((await say(shell, 'status', 'hello-web')).lines[0]).toMatchObject({ id, state: 'running' })
  expect((await say(shell, 'explain', id.slice(0, 16))).lines[0]).toMatchObject({ id, from: 'journal' })
  const [afar] = (await say(shell, 'status', 'hello-web', ...join, ...key)).lines
  expect(afar).toMatchObject({ receipts: [{ state: 'running' }] })

  for (const way of [[], join]) {
    await using tunnel = runProgram(['connect', 'hello-web:http', ...way, ...key, '--json'], shell)
    const { local } = JSON.parse(await tunnel.line((line) => line.includes('listening'))) as { local: { port: number } }
    const answer = await fetch(`http://127.0.0.1:${local.port}/`)
    expect(await answer.json()).toMatchObject({ service: 'hello-web' })
    tunnel.child.kill('SIGINT')
    expect(await tunnel.ended()).toBe(130)
  }
  const logs = await say(shell, 'logs', 'hello-web')
  expect(logs.lines.map(({ line }) => line)).toEqual(expect.arrayContaining([expect.stringContaining('listens on')]))

  writeFileSync(shell.path('hello/new.txt'), 'the next version')
  const updated = await say(shell, 'update', hello, ...key, '--wait', '--timeout', '90s')
  expect(updated.code).toBe(0)
  expect(updated.lines[0]).toMatchObject({ event: 'published', seq: 2 })

  expect((await say(shell, 'stop', 'hello-web', ...key)).lines).toEqual([expect.objectContaining({ scope: 'mesh' })])
  const last = updated.lines[0]?.id as string
  // the version before stopped too
  await node.line((line) => [last, '"event":"node:state"', '"state":"stopped"'].every((part) => line.includes(part)))
  expect((await say(shell, 'list')).lines).toEqual([[]])
  node.child.kill('SIGINT')
  expect(await node.ended()).toBe(0)
})
