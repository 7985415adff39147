import { MAX_DELEGATION_DEPTH } from '../../../protocols/limits.ts'
import type { ParsedTrustPolicy } from '../policy.ts'
import type { TextOf } from '../statements/address-cache.ts'
import type { TreeBranch, TrustTree } from '../types.ts'
import { inactiveReason, type Link, pathTo, type Tree } from './tree.ts'

export type TreeInit = {
  readonly policy: ParsedTrustPolicy
  readonly tree: Tree
  readonly byIssuer: ReadonlyMap<string, readonly Link[]>
  /** seconds */
  readonly at: number
  /** `keyOf` the node's own address */
  readonly own: string
  readonly textOf: TextOf
}

/** The tree for display: each address once with its delegates, below the issuer that leaves it the most links. */
export function renderTree(init: TreeInit, asked?: { key: string; text: string }): TrustTree {
  const { policy } = init
  const roots = [...policy.roots].map(([key, { text }]) => branchOf(init, key, text, undefined))
  return asked === undefined ? { roots } : { roots, asked: { address: asked.text, ...explain(init, asked) } }
}

function branchOf(init: TreeInit, key: string, address: string, by: Link | undefined): TreeBranch {
  const { tree, byIssuer, at, textOf } = init
  const depth = tree.members.get(key)?.depth ?? 0
  const branches: TreeBranch[] = []
  const idle: { address: string; why: string }[] = []
  for (const link of byIssuer.get(key) ?? []) {
    const subject = textOf(link.subjectBytes)
    const why = inactiveReason(link, depth, at)
    if (why !== undefined) idle.push({ address: subject, why: inactiveText(link, why, depth) })
    // its branches are shown where it has the most links left
    else if (tree.members.get(link.subject)?.by === link) branches.push(branchOf(init, link.subject, subject, link))
    else branches.push({ address: subject, depth: link.depth, until: link.expires, branches: [], idle: [] })
  }
  const byText = (a: { address: string }, b: { address: string }) => (a.address < b.address ? -1 : 1)
  const until = by === undefined ? {} : { until: by.expires }
  return { address, depth, ...until, branches: branches.sort(byText), idle: idle.sort(byText) }
}

/** Why an address is in the tree or out of it, in one sentence. */
function explain(
  init: TreeInit,
  asked: { key: string; text: string },
): Omit<NonNullable<TrustTree['asked']>, 'address'> {
  const { policy, tree, own, textOf } = init
  const { key, text } = asked
  const steps = pathTo(tree, key)
  const [first] = steps
  if (first !== undefined) {
    const root = textOf(
      first.entry.statement.kind === 'delegation' ? first.entry.statement.body.issuer : new Uint8Array(),
    )
    const path = [root, ...steps.map(({ subjectBytes }) => textOf(subjectBytes))]
    const over = steps.length === 1 ? '' : ` over ${steps.length - 1} ${steps.length === 2 ? 'other' : 'others'}`
    const until = timeText(Math.min(...steps.map(({ expires }) => expires)))
    return { in: true, why: `the root ${root} vouches for ${text}${over}, until ${until}`, path }
  }
  if (key === own) return { in: true, why: `${text} is this node's own address`, path: [text] }
  if (policy.roots.has(key)) return { in: true, why: `${text} is a root of TRUST_TREE`, path: [text] }
  return { in: false, why: reasonOutside(init, key, text, new Set()), path: [] }
}

function reasonOutside(init: TreeInit, key: string, text: string, seen: Set<string>): string {
  const { tree, byIssuer, at, textOf } = init
  seen.add(key)
  const links = [...byIssuer.values()].flat().filter(({ subject }) => subject === key)
  for (const link of links) {
    const above = tree.members.get(link.issuer)?.depth
    const why = above === undefined ? undefined : inactiveReason(link, above, at)
    if (why !== undefined && above !== undefined) {
      return `the delegation from ${issuerText(link, textOf)} to ${text} does not count: ${inactiveText(link, why, above)}`
    }
  }
  // no issuer above is in: the first of them with a more specific reason, no farther up than a chain can reach
  for (const link of links) {
    if (seen.has(link.issuer) || seen.size > MAX_DELEGATION_DEPTH) continue
    const issuer = issuerText(link, textOf)
    const state = link.revoked ? 'vouched' : 'vouches'
    return `${issuer} ${state} for ${text}, but is not in the tree itself: ${reasonOutside(init, link.issuer, issuer, seen)}`
  }
  return `no known address of the tree vouches for ${text}`
}

function inactiveText(link: Link, why: NonNullable<ReturnType<typeof inactiveReason>>, above: number): string {
  switch (why) {
    case 'revoked':
      return 'it was revoked'
    case 'expired':
      return `it expired at ${timeText(link.expires)}`
    case 'early':
      return `it begins at ${timeText(link.issued)}`
    case 'deep':
      return above === 0
        ? `its issuer may not delegate (depth 0)`
        : `its depth is ${link.depth}, and the link above allows at most ${above - 1}`
  }
}

function issuerText({ entry: { statement } }: Link, textOf: TextOf): string {
  return statement.kind === 'delegation' ? textOf(statement.body.issuer) : ''
}

/** "2026-11-24 03:30:00 UTC" */
function timeText(seconds: number): string {
  const ms = seconds * 1000
  // the wire's numbers reach beyond what a date can be
  return ms > 8.64e15 ? 'the end of time' : `${new Date(ms).toISOString().replace('T', ' ').slice(0, 19)} UTC`
}
