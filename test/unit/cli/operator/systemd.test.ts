import { expect, test } from 'vitest'
import { manualClock } from '../../../../src/base/clock.ts'
import { createServiceManager } from '../../../../src/cli/systemd.ts'
import type { Health } from '../../../../src/node/types.ts'
import type { ProcessSpec } from '../../../../src/process/index.ts'

const health = (more: Partial<Health> = {}) => ({ peers: 2, running: 1, ...more }) as Health

function managed(env: Record<string, string>, exitCode = 0) {
  const clock = manualClock()
  const started: ProcessSpec[] = []
  const warnings: string[] = []
  const manager = createServiceManager({
    ...{ clock, env, program: '/usr/bin/systemd-notify' },
    log: { warn: (text) => void warnings.push(text) },
    async run(spec) {
      started.push(spec)
      return { exitCode, stderr: '' }
    },
  })
  return { clock, manager, warnings, started, said: () => started.map(({ args }) => args.join(' ')) }
}

const SOCKET = { NOTIFY_SOCKET: '/run/systemd/notify' }

test('systemd hears of the start, what changes, a reload and the end', async () => {
  const { clock, manager, said, started } = managed(SOCKET)
  const ending = new AbortController()
  let now = health()
  await manager.ready(async () => now, ending)
  await clock.advance(60_000)
  expect(said()).toEqual(['READY=1 STATUS=1 run, 2 peers'])
  now = health({ running: 0, paused: { since: 1 } })
  await clock.advance(30_000)
  await manager.reloading()
  await manager.reloaded()
  ending.abort(new Error('the end'))
  await manager.stopping()
  await clock.advance(60_000)
  expect(said().slice(1)).toEqual([
    'STATUS=0 runs, 2 peers, paused',
    'RELOADING=1',
    'READY=1',
    'STOPPING=1 STATUS=stopping',
  ])
  expect(started[0]).toMatchObject({ kind: 'tool', env: SOCKET })
})

test('a program that systemd did not start says nothing', async () => {
  const { manager, started } = managed({})
  await manager.ready(async () => health(), { signal: new AbortController().signal })
  await manager.stopping()
  expect(started).toEqual([])
})

test('where systemd cannot be told, the node goes on and says so', async () => {
  const { manager, warnings } = managed(SOCKET, 1)
  await manager.ready(async () => health(), { signal: new AbortController().signal })
  expect(warnings).toEqual(['systemd was not notified'])
})
