/** For each service the nodes of which something is true: a bit a node. */
export interface NodeSets {
  /** False where it was there before. */
  add(service: number, node: number): boolean
  has(service: number, node: number): boolean
  delete(service: number, node: number): void
  /** Deletes a node everywhere, but of the services that are kept. */
  forget(node: number, isKept?: (service: number) => boolean): void
  size(service: number): number
}

export function createNodeSets(nodes: number): NodeSets {
  const sets = new Map<number, { bits: Uint32Array; size: number }>()
  const setOf = (service: number) => {
    const known = sets.get(service)
    if (known !== undefined) return known
    const set = { bits: new Uint32Array((nodes + 31) >>> 5), size: 0 }
    sets.set(service, set)
    return set
  }
  const remove = (service: number, node: number) => {
    const set = sets.get(service)
    const word = set?.bits[node >>> 5] ?? 0
    const bit = 1 << (node & 31)
    if (set === undefined || (word & bit) === 0) return
    set.bits[node >>> 5] = word & ~bit
    set.size--
  }
  return {
    add(service, node) {
      const set = setOf(service)
      const word = set.bits[node >>> 5] ?? 0
      const bit = 1 << (node & 31)
      if ((word & bit) !== 0) return false
      set.bits[node >>> 5] = word | bit
      set.size++
      return true
    },
    has: (service, node) => (((sets.get(service)?.bits[node >>> 5] ?? 0) >>> (node & 31)) & 1) === 1,
    delete: remove,
    forget(node, isKept = () => false) {
      for (const service of sets.keys()) if (!isKept(service)) remove(service, node)
    },
    size: (service) => sets.get(service)?.size ?? 0,
  }
}
