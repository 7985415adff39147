/** Who is a neighbour of whom: those of node n are `neighbours` from `offsets[n]` to `offsets[n + 1]`, in ascending order. */
export type Graph = {
  readonly nodes: number
  readonly offsets: Uint32Array
  readonly neighbours: Int32Array
}

/** Links, as they are found: two numbers each. */
export interface LinkList {
  add(a: number, b: number): void
  readonly count: number
  /** a, b, a, b, ... */
  ends(): Int32Array
}

export function createLinkList(expected: number): LinkList {
  let ends = new Int32Array(Math.max(16, 2 * expected))
  let used = 0
  return {
    add(a, b) {
      if (used + 2 > ends.length) {
        const larger = new Int32Array(2 * ends.length)
        larger.set(ends)
        ends = larger
      }
      ends[used++] = a
      ends[used++] = b
    },
    get count() {
      return used / 2
    },
    ends: () => ends.subarray(0, used),
  }
}

/** Links of a node with itself, and second ones between the same two, are left out. */
export function graphOf(nodes: number, ends: Int32Array): Graph {
  const starts = new Uint32Array(nodes + 1)
  for (let at = 0; at < ends.length; at += 2) {
    const [a, b] = [ends[at] as number, ends[at + 1] as number]
    if (a === b) continue
    starts[a + 1] = (starts[a + 1] as number) + 1
    starts[b + 1] = (starts[b + 1] as number) + 1
  }
  for (let node = 0; node < nodes; node++) starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
  const all = new Int32Array(starts[nodes] as number)
  const next = starts.slice(0, nodes)
  for (let at = 0; at < ends.length; at += 2) {
    const [a, b] = [ends[at] as number, ends[at + 1] as number]
    if (a === b) continue
    const [toA, toB] = [next[a] as number, next[b] as number]
    all[toA] = b
    all[toB] = a
    next[a] = toA + 1
    next[b] = toB + 1
  }
  return inOrder(nodes, starts, all)
}

/** Lists that are longer are few. */
const SHORT = 32

/** Each list becomes ascending, and has each node once. Lists lie one after the other, and are short: so they are sorted in place. */
function inOrder(nodes: number, starts: Uint32Array, all: Int32Array): Graph {
  const offsets = new Uint32Array(nodes + 1)
  let used = 0
  for (let node = 0; node < nodes; node++) {
    const [start, end] = [starts[node] as number, starts[node + 1] as number]
    if (end - start > SHORT) all.subarray(start, end).sort()
    else sortShort(all, start, end)
    let before = -1
    for (let at = start; at < end; at++) {
      const other = all[at] as number
      if (other === before) continue
      before = other
      all[used++] = other
    }
    offsets[node + 1] = used
  }
  return { nodes, offsets, neighbours: used === all.length ? all : all.slice(0, used) }
}

function sortShort(all: Int32Array, start: number, end: number): void {
  for (let at = start + 1; at < end; at++) {
    const value = all[at] as number
    let to = at
    for (; to > start && (all[to - 1] as number) > value; to--) all[to] = all[to - 1] as number
    all[to] = value
  }
}

/**
 * Rings through all nodes, each in an order of its own, and where there is one, pairs: every node has the same number of links,
 * before second ones are left out, and its place in the list is known beforehand.
 */
export function graphOfRings(nodes: number, rings: readonly Int32Array[], pairs: Int32Array | undefined): Graph {
  const degree = 2 * rings.length + (pairs === undefined ? 0 : 1)
  const all = new Int32Array(nodes * degree)
  for (const [index, order] of rings.entries()) {
    let before = order[nodes - 1] as number
    for (let at = 0; at < nodes; at++) {
      const node = order[at] as number
      all[before * degree + 2 * index] = node
      all[node * degree + 2 * index + 1] = before
      before = node
    }
  }
  if (pairs !== undefined) {
    for (let at = 0; at + 1 < nodes; at += 2) {
      const [a, b] = [pairs[at] as number, pairs[at + 1] as number]
      all[(a + 1) * degree - 1] = b
      all[(b + 1) * degree - 1] = a
    }
    // nobody is left for the last of an odd number: it has its ring neighbour once more, which is left out
    if (nodes % 2 === 1) {
      const last = pairs[nodes - 1] as number
      all[(last + 1) * degree - 1] = all[last * degree] as number
    }
  }
  return inOrder(
    nodes,
    Uint32Array.from({ length: nodes + 1 }, (_, node) => node * degree),
    all,
  )
}

/** Where the link from `a` to `b` stands in `neighbours`; -1 = there is none. */
export function linkIndex({ offsets, neighbours }: Graph, a: number, b: number): number {
  let low = offsets[a] as number
  let high = offsets[a + 1] as number
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((neighbours[middle] as number) < b) low = middle + 1
    else high = middle
  }
  return low < (offsets[a + 1] as number) && neighbours[low] === b ? low : -1
}

/**
 * For each link from a to b, where it ends: a number of its own for b and for which one of b's links leads back, of `slots` for
 * each node.
 */
export function linkEnds({ nodes, neighbours }: Graph, slots: number): Int32Array {
  const ends = new Int32Array(neighbours.length)
  // ascending a meets the neighbours of each b in ascending order
  const met = new Uint32Array(nodes)
  for (let at = 0; at < neighbours.length; at++) {
    const other = neighbours[at] as number
    const place = met[other] as number
    met[other] = place + 1
    ends[at] = other * slots + place
  }
  return ends
}

/** The nodes that a way leads to from node 0. */
export function reachable({ nodes, offsets, neighbours }: Graph): number {
  const seen = new Uint8Array(nodes)
  const queue = new Int32Array(nodes)
  let [from, to] = [0, 1]
  seen[0] = 1
  while (from < to) {
    const node = queue[from++] as number
    for (let at = offsets[node] as number; at < (offsets[node + 1] as number); at++) {
      const other = neighbours[at] as number
      if (seen[other] === 1) continue
      seen[other] = 1
      queue[to++] = other
    }
  }
  return to
}

/** Each link once. */
export function edgesOf({ nodes, offsets, neighbours }: Graph): [number, number][] {
  return Array.from({ length: nodes }, (_, node) =>
    [...neighbours.subarray(offsets[node], offsets[node + 1])]
      .filter((other) => other > node)
      .map((other): [number, number] => [node, other]),
  ).flat()
}
