import { describe, expect } from 'vitest'
import { parseCid } from '../../../protocols/encoding.ts'
import { createLightPeer } from '../../../src/node/index.ts'
import { test, until } from '../../fixtures/program/pair.ts'
import { system } from '../../fixtures/system.ts'
import { needs } from '../../require.ts'

type Reported = { readonly receipts: readonly { reasons: readonly { rule: string; message: string }[] }[] }
const saying = (view: Reported, rule: string) =>
  view.receipts.flatMap(({ reasons }) => reasons).filter((reason) => reason.rule === rule)
const words = (view: Reported, rule: string) => saying(view, rule).map(({ message }) => message)
const TASK = { manifest: { run: { kind: 'task' } } }

describe.skipIf(!needs('bubblewrap'))('R1: a service is healthy, or its author learns why it is not', () => {
  test('a service that ends at once is never said to run: --wait fails with its exit code and last lines', async ({
    pair,
  }) => {
    const crash = 'console.log("about to fail"); console.error("secret of the author"); process.exit(7)'
    const published = await pair.publish('crash', crash, 4)
    expect(published.values.at(-1)).toMatchObject({ event: 'failed', outcome: 'failed', exitCode: 4, nodes: 0 })
    expect(published.stderr).toMatch(/starts it again: exit code 7/)
    expect(published.values.some(({ state }) => state === 'running')).toBe(false)

    const view = await until(async () => {
      const now = await pair.view('crash')
      // while it is started again nothing is waited for
      return words(now, 'run:restart')[0]?.includes(':') && now
    }, 'it waits for its next start')
    expect(view.receipts).toMatchObject([{ peerId: pair.worker.peerId, state: 'accepted' }])
    expect(saying(view, 'run:exit')).toMatchObject([{ outcome: 'fail', message: 'exit code 7' }])
    expect(words(view, 'run:restart')[0]).toMatch(/^restart \d+: it failed; again in /)
    expect(words(view, 'run:usage')[0]).toMatch(
      /^(\d+ s, \d+\.\d\d s of CPU, 0\.\d{6} GiB h, \d+ B received, \d+ B sent(; of that last )?){2}$/,
    )
    expect(words(view, 'run:output')).toEqual(expect.arrayContaining(['about to fail', 'secret of the author']))
    const there = await pair.view('crash', 'atWorker')
    expect(there).toMatchObject({ state: 'accepted', run: { healthy: false, exitCode: 7 } })

    // the public status says how it ended, and nothing that it wrote
    await using stranger = await createLightPeer(system, { network: 'test', join: pair.worker.multiaddrs })
    let answer = ''
    for await (const { body } of stranger.ask(parseCid(view.id), { signal: AbortSignal.timeout(45_000) })) {
      if (body.reasons.some(({ rule }) => rule === 'run:exit')) answer = JSON.stringify(body.reasons)
      if (answer !== '') break
    }
    expect(answer).toContain('exit code 7')
    expect(answer).not.toMatch(/run:(output|usage)/)
    expect(answer).not.toContain('secret')
    await pair.at(['stop', 'crash'])
  })

  test('one that stays up is healthy after LIMITS.HEALTHY_SECONDS, and a later failure is reported', async ({
    pair,
  }) => {
    const later = `const fs = require('fs')
      if (fs.existsSync('/work/again')) setInterval(() => {}, 1000)
      else { fs.writeFileSync('/work/again', ''); setTimeout(() => { console.log('the end'); process.exit(9) }, 8000) }`
    const { values } = await pair.publish('later', later, 0)
    expect(values.at(-1)).toMatchObject({ event: 'running', outcome: 'healthy', exitCode: 0, nodes: 1 })
    const states = values.filter(({ event }) => event === 'receipt').map(({ state }) => state)
    expect(states.at(-1)).toBe('running')
    expect(states.slice(0, -1)).not.toContain('running')
    const failed = await until(async () => {
      const view = await pair.view('later')
      return saying(view, 'run:exit').length > 0 && saying(view, 'run:output').length > 0 && view
    }, 'the failure reaches the publisher, with its last lines')
    expect(words(failed, 'run:exit')[0]).toBe('exit code 9')
    expect(words(failed, 'run:output')).toContain('the end')
    await pair.at(['stop', 'later'])
  })

  test('one that listens on another port than it declares is not healthy: the time is up, and what it waits for is said', async ({
    pair,
  }) => {
    const manifest = { run: { ports: [{ name: 'http', port: 8080 }] } }
    const elsewhere = 'require("net").createServer().listen(9999, "127.0.0.1")'
    const published = await pair.publish('port', elsewhere, 5, { manifest, timeout: '8s' })
    expect(published.values.at(-1)).toMatchObject({ event: 'unknown', outcome: 'unknown', exitCode: 5 })
    expect(published.stderr).toMatch(/accepts connections on its port \\"http\\" \(8080\)/)
    await pair.at(['stop', 'port'])
  })

  test('one with a check is healthy when it passes, and starts again when it fails', async ({ pair }) => {
    const check = { http: { port: 'http', path: '/health' } }
    const manifest = { run: { ports: [{ name: 'http', port: 8080 }], check } }
    // more often than it takes to be healthy, however long a busy machine takes for each
    const ill = `let asked = 0
      require('http').createServer((request, response) => {
        response.statusCode = request.url === '/health' && ++asked <= 6 ? 204 : 500
        response.end()
      }).listen(8080, '127.0.0.1')`
    const published = await pair.publish('checked', ill, 0, { manifest })
    expect(published.values.at(-1)).toMatchObject({ event: 'running', outcome: 'healthy', nodes: 1 })
    const failed = await until(async () => {
      const view = await pair.view('checked')
      return saying(view, 'run:restart').length > 0 && view
    }, 'the failed check reaches the publisher')
    expect(words(failed, 'run:restart')[0]).toContain(
      'its check failed 2 times in a row: GET /health on port 8080: it answered 500',
    )
    await pair.at(['stop', 'checked'])
  })

  test('what every node refuses ends --wait with 3', async ({ pair }) => {
    const manifest = { resources: { memory: '900MiB', disk: '8MiB', cpu: '0.5', pids: 32 } }
    const published = await pair.publish('large', 'setInterval(() => {}, 1000)', 3, { manifest })
    expect(published.values.at(-1)).toMatchObject({ event: 'refused', outcome: 'refused', exitCode: 3, nodes: 0 })
    expect(published.stderr).toMatch(/256 MiB/)
  })
})

describe.skipIf(!needs('bubblewrap'))('R3, R7: logs and ports by name, at the publisher', () => {
  test('the author reads what a failed run wrote, and a connection fails at once with the reason', async ({ pair }) => {
    const manifest = { run: { kind: 'task', ports: [{ name: 'http', port: 8080 }] } }
    await pair.publish('gone', 'console.log("what it wrote"); process.exit(3)', 4, { manifest })
    const logs = await pair.at(['logs', 'gone'])
    expect(logs.code, logs.stderr).toBe(0)
    expect(logs.values.map(({ line }) => line)).toContain('what it wrote')
    const connected = await pair.at(['connect', 'gone'])
    expect(connected.code).toBe(1)
    expect(connected.stderr).toMatch(/no node runs .*gone.* now: .*failed: exit code 3/)
    expect(connected.values.some(({ event }) => event === 'listening')).toBe(false)
  })
})

describe.skipIf(!needs('bubblewrap'))('R5: --wait ends when no answer can change any more, and says why', () => {
  test('a task that fails ends --wait at once, with its code and last lines', async ({ pair }) => {
    const published = await pair.publish('task', 'console.log("no such table"); process.exit(3)', 4, TASK)
    expect(published.stderr).toMatch(/failed: exit code 3; it wrote .*no such table/)
    const view = await pair.view('task')
    expect(view.receipts).toMatchObject([{ state: 'failed' }])
    expect(words(view, 'run:exit')[0]).toBe('exit code 3')
  })

  test('a task that ends well is done', async ({ pair }) => {
    await pair.publish('well', 'console.log("42")', 0, TASK)
    expect((await pair.view('well')).receipts).toMatchObject([{ state: 'done' }])
  })

  test('a run that had too long says whose limit it was, and how long (R6)', async ({ pair }) => {
    const manifest = { run: { kind: 'task', timeout: '2s' } }
    const { stderr } = await pair.publish('slow', 'setInterval(() => {}, 1000)', 4, { manifest })
    expect(stderr).toMatch(/its time limit of 2s, set by the service \(run\.timeout\), was over/)
  })

  test('status says what is true now: a node that is gone is shown with its last word, and when that was', async ({
    pair,
  }) => {
    expect((await pair.view('well')).receipts).toMatchObject([{ state: 'done', answered: true }])
    await pair.stop('worker')
    expect((await pair.view('well')).receipts).toMatchObject([{ state: 'done', answered: false }])
    await using program = pair.begin(['status', 'well'])
    expect(await program.ended()).toBe(0)
    expect(program.stdout).toMatch(/12D3\w+ {2}has done it \(does not answer now; reported (.+ ago|a moment ago)\)/)
    // what the run wrote is out of reach, and that is said
    const { code, stderr } = await pair.at(['logs', 'well'])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/12D3\w+ does not answer now; .* it reported: has done it/),
    ])
    await pair.start('worker')
  })
})
