import { InputError } from '../../../base/errors.ts'
import { type Notice, SettingsError } from '../../../config/index.ts'
import type { Cli } from '../../cli.ts'
import { argument, command } from '../../command.ts'
import { loadCandidate, runnerOption } from '../../policy/candidate.ts'
import { startCandidateRunner } from '../../policy/start-candidate.ts'

type Found = {
  readonly ok: boolean
  readonly file: string
  readonly problems: readonly string[]
  readonly notices: readonly string[]
  /** sha256 of the canonical policy: what receipts call it */
  readonly hash?: string
  readonly runner?: string
}

export const policyCheck = command({
  name: 'policy check',
  summary: "Validate a runner's config.json, and load the runner with it",
  details: 'Prints every problem, not only the first. Nothing is put in force.',
  args: { file: argument('FILE', "a runner's settings") },
  options: { runner: runnerOption },
  async run(cli, { file, runner }) {
    const subject = await loadCandidate(cli, { file, runner }).catch((error: unknown) => {
      throw error instanceof SettingsError ? reportProblems(cli, file, error) : error
    })
    const { notices, policy } = subject.draft
    await using _loaded = await startCandidateRunner(cli, subject)
    const words = notices.map(({ message }: Notice) => message)
    print(cli, { ok: true, file, problems: [], notices: words, hash: policy.hash, runner: subject.runner.label })
  },
})

/** One problem is the error itself; several are listed before it. */
function reportProblems(cli: Cli, file: string, error: SettingsError): InputError {
  const { problems } = error
  if (cli.out.json || problems.length > 1) print(cli, { ok: false, file, problems, notices: [] })
  if (problems.length === 1) return error
  return new InputError(`${file} has ${problems.length} problems`, { cause: error })
}

function print({ out }: Cli, found: Found): void {
  const { ok, file, problems, notices, hash, runner } = found
  out.result(found, () => [
    ...problems,
    ...notices.map((words) => `Note: ${words}`),
    ...(ok ? [`${file} is right, and ${runner} loads with it (policy ${hash?.slice(0, 12)}).`] : []),
  ])
}
