import { formatAddress } from '../../../protocols/address.ts'
import { InputError } from '../../base/errors.ts'
import { closestMatch, joinWords } from '../../base/format.ts'
import { type ExecutorName, LISTED_EXECUTORS } from '../../base/verdict.ts'
import { loadIdentity } from '../../config/index.ts'
import type { AvailableExecutor } from '../../runner/index.ts'
import type { Cli } from '../cli.ts'
import type { Option } from '../command.ts'
import type { Candidate } from './candidate.ts'

/** Addresses whose keys do not exist: of an assumed node, and of an untrusted author. */
const NOBODY = 'AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9'
export const STRANGER = '9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu'

/** Those that a policy can choose without a container of its own. */
const NAMED: readonly ExecutorName[] = [...LISTED_EXECUTORS, 'swarm']

/** `docker,host`; an empty text = none. */
export const executorsOption: Option<readonly ExecutorName[] | undefined> = {
  takes: 'NAMES',
  describe: 'executors that are there, like docker,host (default: those of this machine)',
  read(given, flag) {
    if (given === undefined) return undefined
    const names = String(given)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    for (const name of names) {
      if (NAMED.some((known) => known === name)) continue
      const near = closestMatch(name, NAMED)
      const hint = near === undefined ? '' : `; did you mean ${near}?`
      throw new InputError(
        `${flag} has ${JSON.stringify(name)}; allowed are ${joinWords(NAMED)}, with a comma between${hint}`,
      )
    }
    return [...new Set(names)] as ExecutorName[]
  },
}

/** The executors in a runner's snapshot: those that were named, else those of this machine. */
export async function executorsFor(
  cli: Cli,
  { draft, folder }: Pick<Candidate, 'draft' | 'folder'>,
  named: readonly ExecutorName[] | undefined,
): Promise<readonly AvailableExecutor[]> {
  if (named !== undefined) return named.map((name) => ({ name, networks: ['allowlist', 'open'] as const }))
  const { detectExecutors } = await import('../../policy/detect-executors.ts')
  const components = { clock: cli.clock, rng: cli.rng, log: cli.log('silent') }
  return await detectExecutors(components, {
    policy: draft.policy,
    env: cli.env,
    dir: folder?.dir,
    signal: cli.signal,
  })
}

/** The node's own address. */
export async function ownAddress({ signal }: Cli, folder: Candidate['folder']): Promise<string> {
  if (folder === undefined) return NOBODY
  const { signer } = await loadIdentity(folder.dir, { signal })
  return formatAddress(signer.address)
}
