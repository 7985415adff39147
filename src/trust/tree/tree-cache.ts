import { replaces } from '../../../protocols/statement.ts'
import type { Policy } from '../policy.ts'
import type { Book } from '../statements/statement-index.ts'
import { growTree, type Link, type Tree } from './tree.ts'

/** The tree of a policy at a moment, grown when links or time have changed it. */
export interface Canopy {
  of(policy: Policy, at: number): Tree
  /** The same with links that are not kept, where nothing that is kept replaces them. The same list is grown once. */
  with(policy: Policy, at: number, more: readonly Link[]): Tree
}

export function createCanopy({ book }: { book: Pick<Book, 'links'> }): Canopy {
  const grown = new WeakMap<Policy, { tree: Tree; version: number }>()
  const assumed = new WeakMap<readonly Link[], { tree: Tree; version: number; policy: Policy }>()
  return {
    of(policy, at) {
      const { byIssuer, version } = book.links()
      const known = grown.get(policy)
      if (known !== undefined && known.version === version && known.tree.from <= at && at < known.tree.until) {
        return known.tree
      }
      const tree = growTree(byIssuer, policy.roots, at)
      grown.set(policy, { tree, version })
      return tree
    },
    with(policy, at, more) {
      const { byIssuer, version } = book.links()
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
      const tree = growTree(links, policy.roots, at)
      assumed.set(more, { tree, version, policy })
      return tree
    },
  }
}
