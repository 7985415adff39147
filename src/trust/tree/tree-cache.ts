import { replaces } from '../../../protocols/statement.ts'
import type { ParsedTrustPolicy } from '../policy.ts'
import type { StatementIndex } from '../statements/statement-index.ts'
import { buildTree, type Link, type Tree } from './tree.ts'

/** The tree of a policy at a moment, grown when links or time have changed it. */
export interface TreeCache {
  of(policy: ParsedTrustPolicy, at: number): Tree
  /** The same with links that are not kept, where nothing that is kept replaces them. The same list is grown once. */
  with(policy: ParsedTrustPolicy, at: number, more: readonly Link[]): Tree
}

export function createTreeCache({ index }: { index: Pick<StatementIndex, 'links'> }): TreeCache {
  const grown = new WeakMap<ParsedTrustPolicy, { tree: Tree; version: number }>()
  const assumed = new WeakMap<readonly Link[], { tree: Tree; version: number; policy: ParsedTrustPolicy }>()
  return {
    of(policy, at) {
      const { byIssuer, version } = index.links()
      const known = grown.get(policy)
      if (known !== undefined && known.version === version && known.tree.from <= at && at < known.tree.until) {
        return known.tree
      }
      const tree = buildTree(byIssuer, policy.roots, at)
      grown.set(policy, { tree, version })
      return tree
    },
    with(policy, at, more) {
      const { byIssuer, version } = index.links()
      const known = assumed.get(more)
      if (known?.policy === policy && known.version === version && known.tree.from <= at && at < known.tree.until) {
        return known.tree
      }
      const links = new Map(byIssuer)
      for (const link of more) {
        const all = links.get(link.issuer) ?? []
        const kept = all.find(({ subject }) => subject === link.subject)
        if (kept !== undefined && !replaces(link.entry.statement, kept.entry.statement)) continue
        links.set(link.issuer, [...all.filter((one) => one !== kept), link])
      }
      const tree = buildTree(links, policy.roots, at)
      assumed.set(more, { tree, version, policy })
      return tree
    },
  }
}
