import type { Reason, WakeCondition } from '../../../base/verdict.ts'
import { trustedAttestations } from '../hubs.ts'
import { defer, fail, joinSorted, joinWhole, pass } from '../reasons.ts'
import type { Rule, RuleContext } from '../rule.ts'

const name = 'trust'

/**
 * A service may run when its author is in the trust tree (the node's own address, a root, or an address for which a root vouches),
 * or when the quorum of trusted hubs calls its code safe. What is not known does not count.
 *
 * A root that may vouch for others may do so tomorrow, so an author for whom none vouches is deferred. That the node's own
 * address may vouch defers nothing: a node without hubs and without such roots would park every unknown author.
 */
export const trust: Rule = {
  name,
  keys: ['TRUST_TREE', 'TRUSTED_HUBS', 'QUORUM'],
  onFail: 'redirect',
  doc: {
    asks: "The author is in the trust tree (the node's own address, a root of `TRUST_TREE`, or an address for which a root vouches), **or** `QUORUM.HUBS` hubs of `TRUSTED_HUBS`, weighing `QUORUM.WEIGHT`, call the code safe in statements that are valid now. With no hubs, only the tree counts.",
    otherwise:
      'with hubs configured it waits for their statements, with a root of `DEPTH` 1 or more for a delegation, and is redirected; with neither, not run; redirected. A later statement starts it',
  },
  decide({ author }, node) {
    const { own, inTree, config } = node
    const roots = Object.keys(config.TRUST_TREE.ROOTS)
    if (author === own) return [pass(name, "the author is this node's own address")]
    if (Object.hasOwn(config.TRUST_TREE.ROOTS, author)) return [pass(name, 'the author is a root of the trust tree')]
    if (inTree) return [pass(name, 'a root of the trust tree vouches for the author')]
    const hubs = hasHubs(node) ? quorum(author, node) : []
    if (hubs.some(({ outcome }) => outcome === 'pass')) return hubs
    const delegation = rootsOf(node).length > 0 ? [delegated(author, node)] : []
    if (hubs.length + delegation.length > 0) return [...hubs, ...delegation]
    const message = `the author ${author} is not in the trust tree, and no hubs are trusted`
    return [fail(name, message, { field: 'author', must: 'one-of', value: joinWhole([own, ...roots], 3) })]
  },
  wakeConditions: ({ code, author }, node): WakeCondition[] => [
    ...(hasHubs(node) ? [{ on: 'quorum', code } as const] : []),
    ...(rootsOf(node).length > 0 ? [{ on: 'delegation', author } as const] : []),
  ],
}

function hasHubs({ config }: RuleContext): boolean {
  return Object.keys(config.TRUSTED_HUBS).length > 0
}

/** Roots that may delegate. */
function rootsOf({ config }: RuleContext): string[] {
  return Object.entries(config.TRUST_TREE.ROOTS).flatMap(([root, { DEPTH }]) => (DEPTH > 0 ? [root] : []))
}

/** The other way in, beside the quorum or alone. */
function delegated(author: string, node: RuleContext): Reason {
  const roots = rootsOf(node)
  const way = `a delegation of ${joinSorted(roots, 2)}, or of one that ${roots.length === 1 ? 'it vouches' : 'they vouch'} for`
  const message = hasHubs(node)
    ? `or ${way}, whatever the hubs say: none is known for the author`
    : `the author ${author} is not in the trust tree, and no hubs are trusted: it takes ${way}`
  return defer(name, message, { field: 'delegation', must: 'one-of', value: joinWhole(roots, 3) })
}

function quorum(author: string, node: RuleContext): Reason[] {
  const { TRUSTED_HUBS, QUORUM } = node.config
  const safe = trustedAttestations(node).filter(({ verdict }) => verdict === 'safe')
  const weighed = safe.reduce((sum, { hub }) => sum + (TRUSTED_HUBS[hub]?.WEIGHT ?? 0), 0)
  // The node may know more against it than the statements say, never more for it.
  const hubs = Math.min(safe.length, node.quorum?.hubs ?? safe.length)
  const weight = Math.min(weighed, node.quorum?.weight ?? weighed)
  const wanted = Math.max(1, QUORUM.HUBS)
  const reasons: Reason[] = []
  const stranger = `the author ${author} is not in the trust tree, and`
  const silent = Object.keys(TRUSTED_HUBS).filter((hub) => !safe.some((attestation) => attestation.hub === hub))
  if (hubs < wanted) {
    const known =
      hubs === 0
        ? 'no trusted hub is known to call the code safe'
        : `${hubs} of ${wanted} trusted hubs call the code safe`
    const message = `${stranger} ${known}: it takes ${wanted - hubs} more of ${joinSorted(silent, 2)}`
    reasons.push(defer(name, message, { field: 'quorum.hubs', must: 'at-least', value: String(wanted) }))
  }
  if (weight < QUORUM.WEIGHT) {
    const message = `${stranger} the hubs that call the code safe weigh ${weight}, QUORUM.WEIGHT asks for ${QUORUM.WEIGHT}`
    reasons.push(defer(name, message, { field: 'quorum.weight', must: 'at-least', value: String(QUORUM.WEIGHT) }))
  }
  if (reasons.length === 0 && node.quorum?.met === false) {
    const message = `${stranger} the quorum of trusted hubs is not met`
    reasons.push(defer(name, message, { field: 'quorum.met', must: 'be', value: 'true' }))
  }
  return reasons.length > 0
    ? reasons
    : [pass(name, `${hubs} trusted ${hubs === 1 ? 'hub calls' : 'hubs call'} the code safe`)]
}
