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
  return withoutDoubles(nodes, starts, inOrder(nodes, starts, all))
}

/** Nodes in ascending order write themselves into the lists of their neighbours: so each of these is in ascending order. */
function inOrder(nodes: number, starts: Uint32Array, all: Int32Array): Int32Array {
  const ordered = new Int32Array(all.length)
  const next = starts.slice(0, nodes)
  for (let node = 0; node < nodes; node++) {
    const end = starts[node + 1] as number
    for (let at = starts[node] as number; at < end; at++) {
      const other = all[at] as number
      const place = next[other] as number
      ordered[place] = node
      next[other] = place + 1
    }
  }
  return ordered
}

function withoutDoubles(nodes: number, starts: Uint32Array, ordered: Int32Array): Graph {
  const offsets = new Uint32Array(nodes + 1)
  let used = 0
  for (let node = 0; node < nodes; node++) {
    const end = starts[node + 1] as number
    let before = -1
    for (let at = starts[node] as number; at < end; at++) {
      const other = ordered[at] as number
      if (other === before) continue
      before = other
      ordered[used++] = other
    }
    offsets[node + 1] = used
  }
  return { nodes, offsets, neighbours: used === ordered.length ? ordered : ordered.slice(0, used) }
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

/** For each link from a to b, which one of b's own leads back: the first is 0. */
export function reversePlaces({ nodes, neighbours }: Graph): Uint32Array {
  const places = new Uint32Array(neighbours.length)
  // ascending a meets the neighbours of each b in ascending order
  const met = new Uint32Array(nodes)
  for (let at = 0; at < neighbours.length; at++) {
    const other = neighbours[at] as number
    const place = met[other] as number
    places[at] = place
    met[other] = place + 1
  }
  return places
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
