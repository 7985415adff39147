import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPair, type Pair, until } from '../../fixtures/program/pair.ts'
import type { Program } from '../../fixtures/program/process.ts'
import { needs } from '../../require.ts'

const PORTS = { run: { ports: [{ name: 'http', port: 8080 }] } }
const serving = (words: string) =>
  `require('net').createServer((socket) => socket.on('error', () => {}).end('${words}')).listen(8080, '127.0.0.1'); console.log('${words} begins')`

describe.skipIf(!needs('bubblewrap'))(
  'R7: connect leads to what runs now, by name, with and without a node',
  { timeout: 240_000 },
  () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await openPair()
      await publish('publish', serving('v1'))
    }, 180_000)
    afterAll(() => pair?.[Symbol.asyncDispose](), 90_000)

    async function publish(command: 'publish' | 'update', code: string, expected = 0): Promise<void> {
      await pair.write('web', code, PORTS)
      const said = await pair.at([command, `${pair.root}/web`, '--wait', '--timeout', '60s'])
      expect(said.code, said.stderr).toBe(expected)
    }

    /** The local port of a `connect` that goes on. */
    async function portOf(program: Program): Promise<number> {
      const line = await program.line((said) => said.includes('"event":"listening"'))
      return (JSON.parse(line) as { local: { port: number } }).local.port
    }

    async function answerAt(port: number): Promise<string> {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return await text(socket)
    }

    it('kept open over updates: it follows the name, falls back to what lives, and never gives its port up', async () => {
      await using near = pair.begin(['connect', 'web', '--json'])
      await using far = pair.beginAfar(['connect', 'web', '--json'])
      const ports = [await portOf(near), await portOf(far)]
      const answers = () => Promise.all(ports.map(answerAt))
      expect(await answers()).toEqual(['v1', 'v1'])

      // an update that fails changes nothing
      await publish('update', 'process.exit(5)', 4)
      expect(await answers()).toEqual(['v1', 'v1'])

      await publish('update', serving('v3'))
      await until(async () => (await answers()).every((answer) => answer === 'v3'), 'the name leads to version 3')

      // nobody runs it for a while: each connection fails with the reason, and the port stays
      await pair.at(['stop', 'web'])
      await until(async () => {
        expect(['', 'v3']).toEqual(expect.arrayContaining(await answers()))
        return [near, far].every(({ stdout }) => /"event":"failed","reason":"no node runs /.test(stdout))
      }, 'each connection says why there is nobody')
      await publish('publish', serving('v4'))
      await until(async () => (await answers()).every((answer) => answer === 'v4'), 'the name leads to version 4')
    })

    it('logs by name join all versions in order, with and without a node; an id is one version', async () => {
      for (const where of ['at', 'afar'] as const) {
        const said = await pair[where](['logs', 'web'])
        expect(said.code, said.stderr).toBe(0)
        const lines = said.values.map(({ line }) => line)
        const begun = lines.filter((line) => String(line).endsWith(' begins'))
        expect(begun).toEqual(['v1 begins', 'v3 begins', 'v4 begins'])
        expect(lines).toContainEqual(expect.stringMatching(/^version 2 at 12D3\w+: failed$/))
        expect(said.values.find(({ line }) => line === 'v3 begins')).toMatchObject({
          seq: 3,
          peerId: pair.worker.peerId,
        })
      }
      const [{ id } = { id: '' }] = (await pair.at(['status', 'web'])).values as { id: string }[]
      const one = await pair.afar(['logs', id])
      expect(one.values.filter(({ stream }) => stream === 'out').map(({ line }) => line)).toEqual(['v4 begins'])
    })

    it('followed logs go on with the next version', async () => {
      await using following = pair.beginAfar(['logs', 'web', '-f', '--tail', '1', '--json'])
      await following.line((line) => line.includes('v4 begins'))
      await publish('update', serving('v5'))
      await following.line((line) => line.includes('v5 begins'))
    })

    it('a stop ends the version before too, which serves because its update failed', async () => {
      await publish('update', 'process.exit(5)', 4)
      const underWay = async () => {
        const [all] = (await pair.atWorker(['list', '--all'])).values as unknown as { seq: number; state: string }[][]
        return all?.filter(({ state }) => state === 'running' || state === 'accepted').map(({ seq }) => seq)
      }
      expect(await underWay()).toHaveLength(1)
      await pair.at(['stop', 'web'])
      await until(async () => (await underWay())?.length === 0, 'no version of it runs')
      await publish('publish', serving('v7'))
    })

    it('a wrong port and a service that nobody runs are one sentence, at once', async () => {
      const wrong = await pair.at(['connect', 'web:ssh'])
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/has no port \\"ssh\\"; it has http/)])
      const [{ id } = { id: '' }] = (await pair.at(['status', 'web'])).values as { id: string }[]
      // somebody else's program knows no port of it: the node that runs it says so, at the first connection
      const home = { ...pair.env, HOME: `${pair.root}/other`, XDG_CONFIG_HOME: `${pair.root}/other` }
      await using stranger = pair.beginAfar(['connect', `${id}:ssh`, '--json'], home)
      expect(await answerAt(await portOf(stranger))).toBe('')
      expect(await stranger.line((line) => line.includes('"event":"failed"'))).toContain(
        'the service has no port \\"ssh\\"; it has http',
      )

      await pair.at(['stop', 'web'])
      await until(async () => {
        const said = await pair.afar(['status', 'web'])
        return !JSON.stringify(said.values).includes('"state":"running"')
      }, 'it is stopped')
      for (const where of ['at', 'afar'] as const) {
        const said = await pair[where](['connect', 'web'])
        expect([said.code, said.stderr]).toEqual([
          1,
          expect.stringMatching(/no node runs .*web.* now: its author has stopped it/),
        ])
        // the publisher's node never ran it
        expect(said.stderr).not.toContain(pair.publisher.peerId)
        expect(said.values).toEqual([])
      }
    })
  },
)
