import type { Policy } from '../../config/index.ts'
import type { RunnerModule } from '../../policy/candidate-runner.ts'
import type { RunnerHost } from '../../runner/index.ts'
import type { Cli } from '../cli.ts'

/** The runner, loaded with the candidate, to be asked. What it logs is shown with --log-level. */
export async function startCandidateRunner(
  cli: Pick<Cli, 'clock' | 'log' | 'signal'>,
  init: { runner: RunnerModule; draft: { policy: Pick<Policy, 'config'> } },
): Promise<RunnerHost> {
  const { startCandidate } = await import('../../policy/candidate-runner.ts')
  cli.signal.throwIfAborted()
  const { runner, draft } = init
  return await startCandidate({ clock: cli.clock, log: cli.log('silent') }, { ...runner, config: draft.policy.config })
}
