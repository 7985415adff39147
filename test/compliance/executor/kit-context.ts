import type { Grant } from '../../../src/base/verdict.ts'
import type { Executor, Plan } from '../../../src/execution/index.ts'
import type { Outcome, PlanChange, RunDirs } from '../../fixtures/execution/run-fixture.ts'

export type KitContext = {
  /** A test, unless the executor leaves this one out. */
  it(title: string, test: () => unknown, timeoutMs?: number): void
  readonly nodeId: string
  readonly logs: { maxBytes: number; keep: number }
  dirs(): RunDirs
  executor(): Executor
  /** Another instance over the same or other folders: what a node that was killed and started again would make. */
  create(dirs: RunDirs, nodeId: string): Executor
  /** What a plan names to run under these limits, where they are held: its own, or those of all runs beside it. */
  limited(grant: Partial<Grant>): Promise<PlanChange>
  plan(script: string, change?: PlanChange): Promise<Plan>
  outcome(script: string, change?: PlanChange): Promise<Outcome>
  /** The JSON that a script prints; it must end well. */
  json(script: string, change?: PlanChange): Promise<ReturnType<typeof JSON.parse>>
}
