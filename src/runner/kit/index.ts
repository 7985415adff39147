/**
 * What the author of a runner tests it with. Every function starts the runner as a node does: in a process of its own,
 * without network and without files but its own folder.
 *
 * @example
 * import { test } from 'node:test'
 * import assert from 'node:assert/strict'
 * import { assertRunner, decide, exampleService } from 'thundercloud/runner-kit'
 *
 * const runner = new URL('./runner.js', import.meta.url)
 * test('keeps the contract', () => assertRunner(runner))
 * test('takes no games', async () => {
 *   const { run, redirect } = await decide(runner, exampleService({ keywords: ['game'] }))
 *   assert.deepEqual({ run, redirect }, { run: false, redirect: true })
 * })
 */
import type { Verdict } from '../../base/verdict.ts'
import type { ServiceOverrides, SnapshotOverrides } from './examples.ts'
import { type OpenRunner, openRunner, type RunnerOptions } from './open.ts'

export { assertRunner, checkRunner } from './check.ts'
export type { CheckName, CheckOptions, CheckResult, RunnerReport } from './contract.ts'
export {
  EXAMPLE_NODE,
  EXAMPLE_STRANGER,
  exampleService,
  exampleSnapshot,
  type ServiceOverrides,
  type SnapshotOverrides,
} from './examples.ts'
export { type OpenRunner, openRunner, type RunnerOptions } from './open.ts'

/**
 * One verdict. `runner` is the module's file, started and ended for this one question, or what `openRunner` gave.
 * The service and the snapshot may be whole, or only what shall differ from the examples; a snapshot without `config`
 * has the runner's own settings.
 */
export async function decide(
  runner: OpenRunner | URL | string,
  service: ServiceOverrides = {},
  snapshot: SnapshotOverrides = {},
  options: RunnerOptions & { signal?: AbortSignal | undefined } = {},
): Promise<Verdict> {
  if (typeof runner !== 'string' && 'decide' in runner) return runner.decide(service, snapshot, options)
  await using opened = await openRunner(runner, options)
  return await opened.decide(service, snapshot, options)
}
