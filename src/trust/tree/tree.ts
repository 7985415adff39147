import { timeWindowError } from '../../../protocols/announcement.ts'
import { CLOCK_SKEW_SECONDS, MAX_DELEGATION_DEPTH } from '../../../protocols/limits.ts'
import { keyOf } from '../../base/lru-map.ts'
import type { Root } from '../policy.ts'
import type { IndexedStatement } from '../statements/indexed-statement.ts'

/** One delegation; of one issuer and subject there is one. */
export type Link = {
  readonly entry: IndexedStatement
  readonly issuer: string
  readonly subject: string
  readonly subjectBytes: Uint8Array
  readonly depth: number
  readonly issued: number
  readonly expires: number
  readonly revoked: boolean
}

/** An address that is vouched for. */
export type Member = {
  /** links that may still follow: the most that any chain leaves */
  readonly depth: number
  /** the last link of the chain that leaves so many; a root has none */
  readonly by?: Link | undefined
}

export type Tree = {
  readonly members: ReadonlyMap<string, Member>
  /** seconds: the same links make the same tree from then until then */
  readonly from: number
  readonly until: number
}

export function linkOf(entry: IndexedStatement): Link | undefined {
  const { kind, body } = entry.statement
  if (kind !== 'delegation') return undefined
  const { depth, issued, expires, revoked = false } = body
  const subject = keyOf(body.subject)
  return { entry, issuer: entry.signer, subject, subjectBytes: body.subject, depth, issued, expires, revoked }
}

/**
 * The addresses that are vouched for at a moment. A chain's depths fall with each link, so an address reached with more left reaches
 * all that it would reach with less: from the greatest depth down, each address is visited once, and no chain is a cycle.
 */
export function buildTree(
  links: ReadonlyMap<string, readonly Link[]>,
  roots: ReadonlyMap<string, Root>,
  at: number,
): Tree {
  const members = new Map<string, Member>()
  const byDepth: { key: string; member: Member }[][] = Array.from({ length: MAX_DELEGATION_DEPTH + 1 }, () => [])
  for (const [key, { depth }] of roots) byDepth[depth]?.push({ key, member: { depth } })
  for (let depth = MAX_DELEGATION_DEPTH; depth >= 0; depth--) {
    for (const { key, member } of byDepth[depth] ?? []) {
      if (members.has(key)) continue
      members.set(key, member)
      for (const link of links.get(key) ?? []) {
        if (inactiveReason(link, depth, at) === undefined) {
          byDepth[link.depth]?.push({ key: link.subject, member: { depth: link.depth, by: link } })
        }
      }
    }
  }
  return { members, ...validityWindow(links, at) }
}

/** Why a link is inactive, given that `above` links may follow its issuer. */
export function inactiveReason(
  link: Link,
  above: number,
  at: number,
): 'revoked' | 'early' | 'expired' | 'deep' | undefined {
  // also a revocation that has ended: what it took back does not return
  if (link.revoked) return 'revoked'
  return timeWindowError(link, at) ?? (link.depth >= above ? 'deep' : undefined)
}

/** Root first. */
export function pathTo(tree: Tree, key: string): Link[] {
  const path: Link[] = []
  for (let by = tree.members.get(key)?.by; by !== undefined; by = tree.members.get(by.issuer)?.by) path.unshift(by)
  return path
}

function validityWindow(links: ReadonlyMap<string, readonly Link[]>, at: number): { from: number; until: number } {
  let from = Number.NEGATIVE_INFINITY
  let until = Number.POSITIVE_INFINITY
  for (const some of links.values()) {
    for (const { issued, expires } of some) {
      for (const edge of [issued - CLOCK_SKEW_SECONDS, expires]) {
        if (edge <= at) from = Math.max(from, edge)
        else until = Math.min(until, edge)
      }
    }
  }
  return { from, until }
}
