import { timeWindowError } from '../../../protocols/announcement.ts'
import { ProtocolError } from '../../../protocols/errors.ts'
import { replaces } from '../../../protocols/statement.ts'
import { type Clock, nowSeconds } from '../../base/clock.ts'
import { keyOf } from '../../base/lru-map.ts'
import type { ChangeNotifier } from '../change-notifier.ts'
import type { ParsedTrustPolicy } from '../policy.ts'
import type { TextOf } from '../statements/address-cache.ts'
import { validAttestations } from '../statements/attestations.ts'
import { frozenOf } from '../statements/freeze.ts'
import { type IndexedStatement, indexedStatementOf } from '../statements/indexed-statement.ts'
import type { Ingest } from '../statements/ingest.ts'
import type { SignatureCache } from '../statements/signature-cache.ts'
import type { StatementIndex } from '../statements/statement-index.ts'
import type { Link } from '../tree/tree.ts'
import type { TreeCache } from '../tree/tree-cache.ts'
import type { Trust, TrustFacts, TrustPolicy, TrustSubject } from '../types.ts'
import { type AssumedStatement, linksOf } from './assumed.ts'
import { quorumOf } from './quorum.ts'

export interface FactsComponents {
  clock: Clock
  index: Pick<StatementIndex, 'attestationsOf' | 'freezesOf'>
  treeCache: TreeCache
  ingest: Pick<Ingest, 'take'>
  signatures: SignatureCache
  notifier: Pick<ChangeNotifier, 'notifyAt'>
  textOf: TextOf
}

/** What runners get to know of one service. Called for each decision: what is not known must cost next to nothing. */
export function createFactsOf(
  { clock, index, treeCache, ingest, signatures, notifier, textOf }: FactsComponents,
  init: { policy(): TrustPolicy; read(policy: TrustPolicy): ParsedTrustPolicy },
): Trust['factsOf'] {
  function ingestStaples({ staples, author }: TrustSubject): void {
    // each author is charged for its own forgeries only
    const chargedTo = `author ${keyOf(author)}`
    for (const staple of staples) {
      try {
        ingest.take(staple, { via: 'staple', chargedTo })
      } catch (error) {
        // its author may staple what it likes; it counts for nothing
        if (!(error instanceof ProtocolError)) throw error
      }
    }
  }

  /** Staples that this node does not keep, because only the candidate trusts their signers. */
  function staplesFor(policy: ParsedTrustPolicy, { staples }: TrustSubject, at: number): IndexedStatement[] {
    const good: IndexedStatement[] = []
    for (const encoded of staples) {
      try {
        const entry = indexedStatementOf({
          encoded,
          receivedAt: clock.now(),
          via: 'staple',
          own: false,
          recordPublishedAt: 0,
        })
        const { statement, signer, id } = entry
        // an issuer is weighed by the tree itself
        if (statement.kind !== 'delegation' && !policy.hubs.has(signer)) continue
        if (timeWindowError(statement.body, at) !== undefined) continue
        signatures.check(keyOf(id.multihash.digest), statement, policy.hubs.get(signer)?.pinned)
        good.push(entry)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    }
    return good
  }

  function factsFor(
    policy: ParsedTrustPolicy,
    subject: TrustSubject,
    at: number,
    more: readonly IndexedStatement[],
    links: readonly Link[] = linksOf(more),
  ) {
    const { hubs } = policy
    const code = subject.code.toString()
    const attestations = hubs.size === 0 ? [] : latest(index.attestationsOf(code), more, (one) => isAbout(one, code))
    const words = validAttestations(attestations, hubs, at)
    const author = keyOf(subject.author)
    const freezes = hubs.size === 0 ? [] : latest(index.freezesOf(subject.author), more, (one) => isOf(one, author))
    const frozen = frozenOf(freezes, hubs, at)
    const tree = links.length === 0 ? treeCache.of(policy, at) : treeCache.with(policy, at, links)
    const facts: TrustFacts = {
      attestations: words.map(({ weight: _, ...word }) => word),
      quorum: quorumOf(words, policy.quorum),
      inTree: tree.members.has(author),
      frozen: frozen.map(({ expires: _, ...amount }) => amount),
    }
    return { facts, code, frozen, tree }
  }

  return (subject, options = {}) => {
    const candidate = options.policy !== undefined && options.policy !== init.policy() ? options.policy : undefined
    const at = options.at ?? nowSeconds(clock)
    if (candidate !== undefined) {
      const policy = init.read(candidate)
      return factsFor(policy, subject, at, staplesFor(policy, subject, at)).facts
    }
    if (subject.staples.length > 0) ingestStaples(subject)
    if (options.assumed !== undefined) {
      const { entries, links } = options.assumed as AssumedStatement
      return factsFor(init.read(init.policy()), subject, at, entries, links).facts
    }
    const { facts, code, frozen, tree } = factsFor(init.read(init.policy()), subject, at, [])
    if (options.at !== undefined) return facts
    if (facts.attestations.length > 0) {
      notifier.notifyAt({ on: 'code', code }, Math.min(...facts.attestations.map(({ expires }) => expires)))
    }
    for (const { chain, expires } of frozen) {
      notifier.notifyAt({ on: 'freeze', address: textOf(subject.author), chain }, expires)
    }
    notifier.notifyAt({ on: 'tree' }, tree.until)
    return facts
  }
}

/** What is kept, and of one subject what replaces it. */
function latest(
  kept: readonly IndexedStatement[],
  more: readonly IndexedStatement[],
  wanted: (entry: IndexedStatement) => boolean,
): readonly IndexedStatement[] {
  const some = more.filter(wanted)
  if (some.length === 0) return kept
  const all = new Map(kept.map((entry) => [entry.subject, entry]))
  for (const entry of some) {
    const other = all.get(entry.subject)
    if (other === undefined || replaces(entry.statement, other.statement)) all.set(entry.subject, entry)
  }
  return [...all.values()]
}

function isAbout({ statement }: IndexedStatement, code: string): boolean {
  return statement.kind === 'attestation' && statement.body.code.toString() === code
}

function isOf({ statement }: IndexedStatement, author: string): boolean {
  return statement.kind === 'freeze' && keyOf(statement.body.address) === author
}
