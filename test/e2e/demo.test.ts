import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAIN } from '../build.ts'
import { needs } from '../require.ts'

const ENGINE = '/var/run/docker.sock'
const BUBBLEWRAP = '/usr/bin/bwrap'

type DemoEvent = { event: string } & Record<string, unknown>

let scratch: string
beforeEach(async () => {
  // everything that the demo writes lies below it; short, for unix sockets lie there too
  scratch = await mkdtemp('/tmp/tcd-')
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

type Machine = { engine: boolean; bubblewrap: boolean }

/** The demo as a person starts it, on a machine that has what is said. */
function startDemo(args: readonly string[], { engine, bubblewrap }: Machine): ChildProcess {
  const command = [process.execPath, MAIN, 'demo', '--json', ...args]
  const masked = [...(engine ? [] : [ENGINE]), ...(bubblewrap ? [] : [BUBBLEWRAP])].filter(existsSync)
  // in a mount namespace of its own, what it is not to have is a file that nothing answers on
  const mounts = masked.map((path) => `/bin/mount --bind /dev/null ${path} && `).join('')
  const hidden = ['/usr/bin/unshare', '--mount', '/bin/sh', '-c', `${mounts}exec "$@"`, 'sh', ...command]
  const [program = '', ...rest] = masked.length === 0 ? command : hidden
  return spawn(program, rest, { env: { ...process.env, TMPDIR: scratch }, stdio: ['ignore', 'pipe', 'inherit'] })
}

async function collectEvents(demo: ChildProcess, onEvent: (chapter: DemoEvent) => void = () => {}) {
  const events: DemoEvent[] = []
  const ended = once(demo, 'exit') as Promise<[number | null]>
  for await (const line of createInterface(demo.stdout as NonNullable<ChildProcess['stdout']>)) {
    events.push(JSON.parse(line) as DemoEvent)
    onEvent(JSON.parse(line) as DemoEvent)
  }
  const [code] = await ended
  return { events, code }
}

async function leftovers(): Promise<string[]> {
  const files = await readdir(scratch)
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
  const labelled = ['ps', '-a', '--filter', 'label=thundercloud.run', '--format', '{{.Names}} {{.Mounts}}']
  const containers = needs('engine') ? execFileSync('docker', labelled, { encoding: 'utf8' }).split('\n') : []
  return [...files, ...[...processes, ...containers].filter((line) => line.includes(scratch))]
}

const EVENTS = ['node', 'node', 'node', 'sandbox', 'published', 'verdict', 'verdict', 'running', 'tunnel', 'answer']

async function expectDemo(machine: Machine, sandbox: string): Promise<void> {
  const { events, code } = await collectEvents(startDemo(['--once'], machine))
  expect(events.map(({ event }) => event)).toEqual(EVENTS)
  expect(code).toBe(0)
  expect(events.find(({ event }) => event === 'sandbox')).toMatchObject({ kind: sandbox })
  const [second, third] = events.filter(({ event }) => event === 'verdict')
  expect(second).toMatchObject({ node: 'second', run: false, redirect: true })
  expect(third).toMatchObject({ node: 'third', run: { executor: sandbox === 'docker' ? 'docker' : 'host' } })
  expect(events.at(-1)).toMatchObject({ status: 200, body: { service: 'hello-web' } })
  expect(await leftovers()).toEqual([])
}

describe('the demo', () => {
  it.skipIf(!needs('engine'))('runs its service in Docker where an engine answers', () =>
    expectDemo({ engine: true, bubblewrap: true }, 'docker'),
  )

  it.skipIf(!needs('bubblewrap') || !needs('root'))('runs it in bubblewrap where there is no engine', () =>
    expectDemo({ engine: false, bubblewrap: true }, 'bubblewrap'),
  )

  it.skipIf((needs('engine') || needs('bubblewrap')) && !needs('root'))(
    'runs it under the permission model, for its own author, where there is neither',
    () => expectDemo({ engine: false, bubblewrap: false }, 'permission'),
  )

  it('leaves nothing behind when it is interrupted', async () => {
    const demo = startDemo([], { engine: true, bubblewrap: true })
    const { code } = await collectEvents(demo, ({ event }) => void (event === 'running' && demo.kill('SIGINT')))
    expect(code).toBe(130)
    expect(await leftovers()).toEqual([])
  })
})
