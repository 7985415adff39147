import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPair, type Pair, until, viewOf } from '../../fixtures/program/pair.ts'
import { needs } from '../../require.ts'

const PORTS = { run: { ports: [{ name: 'http', port: 8080 }] } }
const serving = (words: string) =>
  `require('net').createServer((socket) => socket.on('error', () => {}).end('${words}')).listen(8080, '127.0.0.1')`

type Known = { id: string; name: string; seq: number; state: string }

describe.skipIf(!needs('bubblewrap'))(
  'R2: an update that fails leaves the version before serving',
  { timeout: 240_000 },
  () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await openPair()
      await pair.write('web', serving('v1'), PORTS)
      const published = await pair.at(['publish', `${pair.root}/web`, '--wait', '--timeout', '60s'])
      expect(published.code, published.stderr).toBe(0)
    }, 180_000)
    afterAll(() => pair?.[Symbol.asyncDispose](), 90_000)

    const answer = async () => {
      await using program = pair.begin(['connect', 'web', '--json'])
      const line = await program.line((said) => said.includes('"event":"listening"'))
      const { local } = JSON.parse(line) as { local: { port: number } }
      const socket = connect(local.port, '127.0.0.1')
      await once(socket, 'connect')
      return await text(socket)
    }
    const versions = async () => {
      const { values } = await pair.atWorker(['list', '--all'])
      const all = values[0] as unknown as Known[]
      return all.filter(({ name }) => name === 'web').sort((a, b) => a.seq - b.seq)
    }

    it.each([
      ['at once', 'console.log("v2 cannot"); process.exit(5)', /exit code 5.*the version before goes on/],
      ['after a moment', 'setTimeout(() => process.exit(6), 700)', /exit code 6.*the version before goes on/],
      ['by its port', 'require("net").createServer().listen(9999, "127.0.0.1")', /not healthy after 12s.*http.*8080/],
    ])('%s', async (_, code, reason) => {
      await pair.write('web', code, PORTS)
      const updated = await pair.at(['update', `${pair.root}/web`, '--wait', '--timeout', '90s'])
      expect(updated.code, updated.stderr).toBe(4)
      expect(updated.stderr).toMatch(reason)
      const view = await viewOf(pair, 'web')
      expect(view.receipts).toMatchObject([{ state: 'failed' }])
      const there = await versions()
      expect([there[0]?.state, there.at(-1)?.state]).toEqual(['running', 'failed'])
      expect(there.filter(({ state }) => state === 'running').length).toBe(1)
      expect(await answer()).toBe('v1')
    })

    it('that is healthy takes over, and the name leads to it', async () => {
      await pair.write('web', serving('v5'), PORTS)
      const updated = await pair.at(['update', `${pair.root}/web`, '--wait', '--timeout', '60s'])
      expect(updated.code, updated.stderr).toBe(0)
      await until(async () => (await versions())[0]?.state !== 'running', 'the first version ends')
      expect(await answer()).toBe('v5')
    })

    it('with --replace stops the version before first', async () => {
      await pair.write('web', serving('v6'), PORTS)
      const updated = await pair.at(['update', `${pair.root}/web`, '--replace', '--wait', '--timeout', '60s'])
      expect(updated.code, updated.stderr).toBe(0)
      expect((await versions()).filter(({ state }) => state === 'running').length).toBe(1)
      expect(await answer()).toBe('v6')
    })
  },
)
