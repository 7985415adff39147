import { parseAddress } from '../../../../protocols/address.ts'
import { nowSeconds } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { howMany, joinWords, sanitizeText } from '../../../base/format.ts'
import type { CandidateTrust } from '../../../policy/candidate-trust.ts'
import type { NodeFacts } from '../../../runner/index.ts'
import { findAuthor } from '../../author.ts'
import type { Cli } from '../../cli.ts'
import { argument, command, text, texts, whole } from '../../command.ts'
import { reasonLines, verdictText } from '../../output/format-verdict.ts'
import { type Candidate, loadCandidate, runnerOption } from '../../policy/candidate.ts'
import { ingestFiles, openFolderTrust, trustFactsText } from '../../policy/candidate-trust.ts'
import { executorsFor, executorsOption, STRANGER } from '../../policy/executor-option.ts'
import { type Free, freeOption, freeText } from '../../policy/free-option.ts'
import { loadNodeContext, type NodeContext } from '../../policy/node-context.ts'
import { loadServiceFile, type ServiceFile } from '../../policy/service-file.ts'
import { startCandidateRunner } from '../../policy/start-candidate.ts'

/** As far as anything travels unless its author says otherwise. */
const DEPTH = 3

export const policyTest = command({
  name: 'policy test',
  summary: 'Ask a candidate about one service: each rule, and what would change its outcome',
  details: [
    'No node is needed. Where one runs, what it has free counts, under the LIMITS of the candidate; else all of LIMITS is',
    'free. What is assumed is printed. Of hubs, freezes and delegations it is known what the service brings, what',
    '--statements hold, and what the journal of the folder keeps; the mesh is not asked.',
  ].join('\n'),
  args: { file: argument('FILE', 'the candidate: settings of a runner') },
  options: {
    service: text('FILE', 'the service: a manifest, an announcement, or the JSON that a runner receives'),
    author: text('ADDRESS', "the author of a manifest (default: your key's address, where you have one)"),
    executors: executorsOption,
    free: freeOption,
    depth: whole('HOPS', 'the depth with which it arrives', { min: 0, max: 8, fallback: undefined }),
    statements: texts('FILE', 'statements of hubs and roots, as `hub attest --out` writes them; may be repeated'),
    network: text('NAME', 'the network of the statements (default: the folder\'s, else "thundercloud")'),
    runner: runnerOption,
  },
  async run(cli, options) {
    const { file, service: serviceFile, author, executors: named, free, depth, runner } = options
    if (serviceFile === undefined) throw new InputError('--service is missing; name the file of a service')
    const subject = await loadCandidate(cli, { file, runner })
    const known = await loadNodeContext(cli, subject)
    const read = await loadServiceFile(cli, { file: serviceFile, ...(await authorOf(cli, author)) })
    const facts = await factsFor(cli, { subject, known, named, free })
    const { config, own } = facts
    await using beliefs = await openFolderTrust(cli, { own, config, folder: subject.folder, network: options.network })
    const notes = await ingestFiles(cli, beliefs, options.statements)
    const now = nowSeconds(cli.clock)
    const believed = beliefs.factsOf(read.subject, now)
    const snapshot = { ...facts, ...believed, value: null, depth: depth ?? read.depth ?? DEPTH, now }
    await using host = await startCandidateRunner(cli, subject)
    const verdict = await host.decide(read.service, snapshot, { signal: cli.signal })
    const rest = [`${trustFactsText(believed)}: ${sourceText(read, options.statements, beliefs)}`, ...notes]
    const assumed = [...read.assumed, ...assumptions(facts, known, { depth: snapshot.depth }), ...rest]
    const { id, name, author: whose } = read.service
    cli.out.result(
      { service: { id, name, author: whose }, verdict, assumed, facts: { ...withoutConfig(facts), ...believed } },
      () => [
        `"${sanitizeText(name, 64)}" with ${file} and ${subject.runner.label}: ${verdictText(verdict)}`,
        '',
        ...reasonLines(verdict.reasons),
        '',
        'Assumed:',
        ...assumed.map((words) => `  ${sanitizeText(words, 400)}`),
      ],
    )
  },
})

async function authorOf(cli: Cli, given: string | undefined) {
  if (given !== undefined) return { author: parseAddress(given, '--author'), authorIs: '--author' }
  const author = await findAuthor(cli, undefined)
  if (author !== undefined) return { author: author.signer.address, authorIs: 'your key; --author names another' }
  return { author: parseAddress(STRANGER), authorIs: 'unknown; --author names another' }
}

async function factsFor(
  cli: Cli,
  init: {
    subject: Candidate
    known: NodeContext
    named: Parameters<typeof executorsFor>[2]
    free: Free
  },
): Promise<NodeFacts> {
  const { subject, known, named, free } = init
  const executors =
    named === undefined && known.executors !== undefined ? known.executors : await executorsFor(cli, subject, named)
  return {
    config: subject.draft.policy.config,
    own: known.own,
    capacity: { ...known.free, ...free, executors },
    running: known.running,
    clientRegistries: known.clientRegistries,
  }
}

function assumptions({ capacity, running }: NodeFacts, known: NodeContext, { depth }: { depth: number }): string[] {
  const names = capacity.executors.map(({ name, ownOnly }) => (ownOnly === true ? `${name} (own services only)` : name))
  return [
    ...known.assumed,
    `there ${names.length === 1 ? 'is' : 'are'} ${names.length === 0 ? 'no executors' : names.join(' and ')}`,
    `free: ${freeText(capacity)}; ${running.length === 0 ? 'nothing runs' : `${howMany(running.length, 'service runs', 'services run')}`}`,
    `it arrives with depth ${depth}, now`,
  ]
}

function sourceText({ subject }: ServiceFile, files: readonly string[], { kept }: CandidateTrust): string {
  const staples = subject.staples.length
  const sources = [
    `${staples === 0 ? 'no statement' : howMany(staples, 'statement', 'statements')} stapled to it`,
    ...(files.length === 0 ? [] : [joinWords(files)]),
    `${kept === 0 ? 'no statement' : howMany(kept, 'statement', 'statements')} in the journal`,
  ]
  return `known from ${joinWords(sources)}`
}

function withoutConfig({ config: _config, ...rest }: NodeFacts): Omit<NodeFacts, 'config'> {
  return rest
}
