import { join } from 'node:path'
import { createAddressTexts } from '../../../base/address-texts.ts'
import { InputError } from '../../../base/errors.ts'
import { formatCount, sanitizeText } from '../../../base/format.ts'
import { readClientRegistries } from '../../../config/index.ts'
import { openJournalReader } from '../../../journal/index.ts'
import { emptyNode } from '../../../policy/empty-node.ts'
import { type ReplayChange, replay } from '../../../policy/replay.ts'
import type { Cli } from '../../cli.ts'
import { argument, command, optionalDuration, whole } from '../../command.ts'
import { table } from '../../output/output.ts'
import { idFormats } from '../../output/text.ts'
import { loadCandidate, runnerOption } from '../../policy/candidate.ts'
import { openFolderTrust } from '../../policy/candidate-trust.ts'
import { loadCurrentPolicy } from '../../policy/current-policy.ts'
import { executorsFor, executorsOption, ownAddress } from '../../policy/executor-option.ts'
import { becomesText, outcomeText, summaryLines } from '../../policy/format-changes.ts'
import { startCandidateRunner } from '../../policy/start-candidate.ts'

/** Rows in the table for people; --json has all of them. */
const MAX_ROWS = 100

export const policyReplay = command({
  name: 'policy replay',
  summary: 'Ask a candidate about every service that this node has received, and show what it would change',
  details: [
    'Both policies, the one in force and the candidate, are asked under the same facts: an empty node (all of their LIMITS',
    'is free), the executors that are there, and each service at the second at which it came. So a difference is the',
    "policy's, not the hour's. Of hubs, freezes and delegations each policy believes, by its own TRUSTED_HUBS, QUORUM and",
    "TRUST_TREE, the statements of the journal and of the services' staples that are valid at that second: a hub's later",
    'attestation does not count, of two statements on one subject the journal has only the last, and statements of hubs',
    'that were never trusted here are known from staples only.',
    'Nothing is run, and nothing is written. With --json: a line for each service that changes, then a line',
    '{"event":"summary",...}.',
  ].join('\n'),
  args: { file: argument('FILE', 'the candidate: settings of a runner') },
  options: {
    since: optionalDuration('only services received in this time, like 24h'),
    limit: whole('COUNT', 'at most this many, the newest', { min: 1, max: 1e9, fallback: undefined }),
    executors: executorsOption,
    runner: { ...runnerOption, describe: 'the runner that the candidate goes with (default: the one in force)' },
  },
  async run(cli, { file, since, limit, executors: named, runner }) {
    const { clock, out, signal } = cli
    const candidate = await loadCandidate(cli, { file, runner })
    const { folder } = candidate
    if (folder === undefined) {
      throw new InputError('there is no folder of a node here, so no journal either; name the folder with --dir')
    }
    const current = await loadCandidate(cli, { file, runner: undefined })
    const inForce = await loadCurrentPolicy(cli, folder)
    using reader = openJournalReader(join(folder.dataDir, 'journal.sqlite'))
    const own = await ownAddress(cli, folder)
    const executors = await executorsFor(cli, candidate, named)
    const filter = { since: since === undefined ? 0 : clock.now() - since * 1000, newest: limit }
    const total = reader.count(filter)

    await using before = await startCandidateRunner(cli, { runner: current.runner, draft: { policy: inForce } })
    await using after = await startCandidateRunner(cli, candidate)
    const facts = { own, executors, clientRegistries: await readClientRegistries(cli.env) }
    const network = undefined
    await using old = await openFolderTrust(cli, { own, config: inForce.config, folder, network })
    await using young = await openFolderTrust(cli, { own, config: candidate.draft.policy.config, folder, network })
    const rows: ReplayChange[] = []
    using progress = out.progress('replaying')
    progress.count(0, total)
    progress.show()
    const summary = await replay(
      {
        pages: reader.services(filter),
        inForce: { host: before, facts: emptyNode(inForce.config, facts), beliefs: old },
        candidate: { host: after, facts: emptyNode(candidate.draft.policy.config, facts), beliefs: young },
        textOf: createAddressTexts().of,
      },
      {
        signal,
        onProgress: (asked) => progress.count(asked, total),
        onChange(change) {
          if (out.json) out.item({ event: 'change', ...change }, () => '')
          else if (rows.length < MAX_ROWS) rows.push(change)
        },
      },
    )
    progress[Symbol.dispose]()
    const sameHash = inForce.hash === candidate.draft.policy.hash && runner === undefined
    out.result({ event: 'summary', executors: executors.map(({ name }) => name), same: sameHash, ...summary }, () => [
      ...(rows.length === 0 ? [] : [...changeTable(cli, rows), '']),
      ...(summary.changed > rows.length
        ? [`... and ${formatCount(summary.changed - rows.length)} more; --json brings all.`]
        : []),
      ...(sameHash ? [`${file} says what is in force already.`] : []),
      ...summaryLines(summary),
      `Asked about an empty node with ${executors.length === 0 ? 'no executor' : executors.map(({ name }) => name).join(' and ')}.`,
    ])
  },
})

function changeTable({ out }: Cli, rows: readonly ReplayChange[]): string[] {
  const { id, address } = idFormats(out.terminal)
  const cells = rows.map((row) => [
    sanitizeText(row.name, 64),
    outcomeText(row.from),
    becomesText(row),
    row.rules.map((rule) => sanitizeText(rule, 64)).join(', '),
    address(row.author),
    id(row.id),
  ])
  return table(['NAME', 'IN FORCE', 'CANDIDATE', 'BECAUSE OF', 'AUTHOR', 'ID'], cells)
}
