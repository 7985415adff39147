import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { test, until } from '../../fixtures/program/pair.ts'
import type { Program } from '../../fixtures/program/process.ts'
import { needs } from '../../require.ts'

const manifest = { run: { ports: [{ name: 'http', port: 8080 }] } }
const serving = (words: string) =>
  `require('net').createServer((socket) => socket.on('error', () => {}).end('${words}')).listen(8080, '127.0.0.1'); console.log('${words} begins')`
const UPDATE = { command: ['update'], manifest }
/** several commands each, on a busy machine */
const timeout = 240_000

async function portOf(program: Program): Promise<number> {
  const line = await program.line((said) => said.includes('"event":"listening"'))
  return (JSON.parse(line) as { local: { port: number } }).local.port
}

async function answerAt(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return await text(socket)
}

type Known = { name: string; seq: number; state: string }
type Asked = { atWorker(argv: readonly string[]): Promise<{ values: unknown[] }> }

/** What the worker has of one service, the oldest first. */
async function versions(pair: Asked, service: string): Promise<Known[]> {
  const [all] = (await pair.atWorker(['list', '--all'])).values as Known[][]
  return (all ?? []).filter(({ name }) => name === service).sort((a, b) => a.seq - b.seq)
}

describe.skipIf(!needs('bubblewrap'))('R2: an update that fails leaves the version before serving', { timeout }, () => {
  test.beforeAll(async ({ pair }) => void (await pair.publish('app', serving('v1'), 0, { manifest })))
  test.afterAll(async ({ pair }) => void (await pair.at(['stop', 'app'])))

  const answerOf = async (pair: { begin(argv: readonly string[]): Program }) => {
    await using program = pair.begin(['connect', 'app', '--json'])
    return await answerAt(await portOf(program))
  }

  test.for<[string, string, RegExp]>([
    ['at once', 'console.log("v2 cannot"); process.exit(5)', /exit code 5.*the previous version keeps running/],
    ['after a moment', 'setTimeout(() => process.exit(6), 700)', /exit code 6.*the previous version keeps running/],
    ['by its port', 'require("net").createServer().listen(9999, "127.0.0.1")', /not healthy after 12s.*http.*8080/],
  ])('%s', async ([, code, reason], { pair }) => {
    const updated = await pair.publish('app', code, 4, { ...UPDATE, timeout: '90s' })
    expect(updated.stderr).toMatch(reason)
    expect((await pair.view('app')).receipts).toMatchObject([{ state: 'failed' }])
    const there = await versions(pair, 'app')
    expect([there[0]?.state, there.at(-1)?.state]).toEqual(['running', 'failed'])
    expect(there.filter(({ state }) => state === 'running').length).toBe(1)
    expect(await answerOf(pair)).toBe('v1')
  })

  test('that is healthy takes over, and the name leads to it', async ({ pair }) => {
    await pair.publish('app', serving('v5'), 0, UPDATE)
    await until(async () => (await versions(pair, 'app'))[0]?.state !== 'running', 'the first version ends')
    expect(await answerOf(pair)).toBe('v5')
  })

  test('with --replace stops the version before first', async ({ pair }) => {
    await pair.publish('app', serving('v6'), 0, { command: ['update', '--replace'], manifest })
    expect((await versions(pair, 'app')).filter(({ state }) => state === 'running').length).toBe(1)
    expect(await answerOf(pair)).toBe('v6')
  })
})

describe.skipIf(!needs('bubblewrap'))(
  'R7: connect leads to what runs now, by name, with and without a node',
  { timeout },
  () => {
    test.beforeAll(async ({ pair }) => void (await pair.publish('web', serving('v1'), 0, { manifest })))

    test('kept open over updates: it follows the name, falls back to what lives, and never gives its port up', async ({
      pair,
    }) => {
      await using near = pair.begin(['connect', 'web', '--json'])
      await using far = pair.beginAfar(['connect', 'web', '--json'])
      const ports = [await portOf(near), await portOf(far)]
      const answers = () => Promise.all(ports.map(answerAt))
      const allAnswer = (version: string) =>
        until(async () => (await answers()).every((answer) => answer === version), `the name leads to ${version}`)
      expect(await answers()).toEqual(['v1', 'v1'])

      // an update that fails changes nothing
      await pair.publish('web', 'process.exit(5)', 4, UPDATE)
      expect(await answers()).toEqual(['v1', 'v1'])

      await pair.publish('web', serving('v3'), 0, UPDATE)
      await allAnswer('v3')

      // no node runs it for a while: each connection fails with the reason, and the port stays
      await pair.at(['stop', 'web'])
      await until(async () => {
        expect(['', 'v3']).toEqual(expect.arrayContaining(await answers()))
        return [near, far].every(({ stdout }) => /"event":"failed","reason":"no node runs /.test(stdout))
      }, 'each connection says why no node runs it')
      await pair.publish('web', serving('v4'), 0, { manifest })
      await allAnswer('v4')
    })

    test('logs by name join all versions in order, with and without a node; an id is one version', async ({ pair }) => {
      for (const where of ['at', 'afar'] as const) {
        const { code, stderr, values } = await pair[where](['logs', 'web'])
        expect(code, stderr).toBe(0)
        const lines = values.map(({ line }) => line)
        const begun = lines.filter((line) => String(line).endsWith(' begins'))
        expect(begun).toEqual(['v1 begins', 'v3 begins', 'v4 begins'])
        expect(lines).toContainEqual(expect.stringMatching(/^version 2 at 12D3\w+: failed$/))
        const third = values.find(({ line }) => line === 'v3 begins')
        expect(third).toMatchObject({ seq: 3, peerId: pair.worker.peerId })
      }
      const { values } = await pair.afar(['logs', (await pair.view('web')).id])
      expect(values.filter(({ stream }) => stream === 'out').map(({ line }) => line)).toEqual(['v4 begins'])
    })

    test('followed logs go on with the next version', async ({ pair }) => {
      await using following = pair.beginAfar(['logs', 'web', '-f', '--tail', '1', '--json'])
      await following.line((line) => line.includes('v4 begins'))
      await pair.publish('web', serving('v5'), 0, UPDATE)
      await following.line((line) => line.includes('v5 begins'))
    })

    test('a stop ends the version before too, which serves because its update failed', async ({ pair }) => {
      await pair.publish('web', 'process.exit(5)', 4, UPDATE)
      const underWay = async () =>
        (await versions(pair, 'web')).filter(({ state }) => state === 'running' || state === 'accepted')
      expect(await underWay()).toHaveLength(1)
      await pair.at(['stop', 'web'])
      await until(async () => (await underWay()).length === 0, 'no version of it runs')
      await pair.publish('web', serving('v7'), 0, { manifest })
    })

    test('a wrong port and a service that no node runs are one sentence, at once', async ({ pair }) => {
      const wrong = await pair.at(['connect', 'web:ssh'])
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/has no port \\"ssh\\"; it has http/)])
      const { id } = await pair.view('web')
      // the program of another publisher knows no port of it: the node that runs it says so, at the first connection
      const home = { ...pair.env, HOME: `${pair.root}/other`, XDG_CONFIG_HOME: `${pair.root}/other` }
      await using stranger = pair.beginAfar(['connect', `${id}:ssh`, '--json'], home)
      expect(await answerAt(await portOf(stranger))).toBe('')
      const failed = await stranger.line((line) => line.includes('"event":"failed"'))
      expect(failed).toContain('the service has no port \\"ssh\\"; it has http')

      await pair.at(['stop', 'web'])
      await until(async () => {
        const said = await pair.afar(['status', 'web'])
        return !JSON.stringify(said.values).includes('"state":"running"')
      }, 'it is stopped')
      const stopped = expect.stringMatching(/no node runs .*web.* now: its author has stopped it/)
      for (const where of ['at', 'afar'] as const) {
        const { code, stderr, values } = await pair[where](['connect', 'web'])
        expect([code, stderr]).toEqual([1, stopped])
        // the publisher's node never ran it
        expect(stderr).not.toContain(pair.publisher.peerId)
        expect(values).toEqual([])
      }
    })
  },
)
