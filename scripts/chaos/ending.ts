import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiClient } from '../../src/api/index.ts'
import { pause } from '../attack/target.ts'
import type { Ledger } from './ledger.ts'

const FINAL = ['exited', 'failed', 'stopped', 'refused']
const LOOK_MS = 500

/** Waits until every task has ended and every stopped service too. Answers what did not. */
export async function untilIdle(api: ApiClient, ms: number): Promise<string[]> {
  const end = performance.now() + ms
  for (;;) {
    const views = await api.services()
    const left = views.filter(({ state, run, kind, stoppedBy }) => {
      if (run !== undefined && !FINAL.includes(run.state)) return true
      return kind === 'task' && stoppedBy === undefined && (state === 'parked' || state === 'accepted')
    })
    if (left.length === 0) return []
    if (performance.now() > end)
      return left.map(({ id, kind, state, run }) => `${kind} ${id} is still ${state} (run ${run?.state})`)
    await pause(LOOK_MS)
  }
}

/**
 * Tasks that began more than once, by their own output: it is written by what outlives the node, outside of the run's files.
 * Also those that ended, and not well.
 */
export async function wrongTasks(ledger: Ledger, api: ApiClient, dataDir: string): Promise<string[]> {
  const wrong: string[] = []
  for (const { id, kind, run } of await api.services()) {
    if (kind !== 'task') continue
    const lines = (await readFile(join(dataDir, 'logs', id, 'run.log'), 'utf8').catch(() => '')).split('\n')
    const begins = lines.filter((line) => line.endsWith(' begin')).length
    if (begins > 1) wrong.push(`task ${id} began ${begins} times`)
    if (ledger.services.has(id) && begins === 0)
      wrong.push(`task ${id} never began: run ${run?.state} ${run?.detail ?? ''}`)
    if (run?.state === 'failed') wrong.push(`task ${id} failed: exit code ${run.exitCode}, ${run.detail}`)
  }
  return wrong
}
