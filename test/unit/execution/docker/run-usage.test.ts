import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { gatewayTotals } from '../../../../src/execution/docker/run-usage.ts'
import { tempDir } from '../../../fixtures/temp-dir.ts'

const USED = { runningMs: 0, cpuMs: 0, receivedBytes: 0, sentBytes: 0 }

it('what a run has used is asked for again while its gateway is only beginning', async () => {
  const socket = join(await tempDir(), 's')
  const asked = gatewayTotals(socket, systemClock())
  await sleep(300)
  const gateway = createServer((pipe) => void pipe.end(`${JSON.stringify(USED)}\n`)).listen(socket)
  onTestFinished(() => void gateway.close())
  expect(await asked).toEqual(USED)
})

it('what a run has used is not known where its gateway never comes, after a bounded time', async () => {
  expect(await gatewayTotals(join(await tempDir(), 's'), systemClock())).toBeUndefined()
})

it('what a run has used is not asked for again by one that gives up', async () => {
  const stop = new AbortController()
  const asked = gatewayTotals(join(await tempDir(), 's'), systemClock(), stop.signal)
  stop.abort(new Error('the node is closing'))
  expect(await asked).toBeUndefined()
})
