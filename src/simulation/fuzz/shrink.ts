import type { Draft, Step } from './generate.ts'

/** Fewer are no mesh. */
const MIN_NODES = 2

/** Does it still fail in the same way? False too where it is no scenario. */
type Fails = (draft: Draft) => Promise<boolean>

/** Makes a failing scenario smaller as long as it still fails, a part after another. `more` says whether there is time. */
export async function shrink(draft: Draft, fails: Fails, more: () => boolean): Promise<Draft> {
  let smallest = draft
  for (let before: Draft | undefined; before !== smallest; ) {
    before = smallest
    for (const smaller of SHRINKERS) {
      // what it answers is of the smallest so far, so positions go down: what is left keeps its place
      for (let at = smaller(smallest).length - 1; at >= 0; at--) {
        if (!more()) return smallest
        const candidate = smaller(smallest)[at]
        if (candidate !== undefined && (await fails(candidate))) smallest = candidate
      }
    }
  }
  return smallest
}

const SHRINKERS: readonly ((draft: Draft) => readonly Draft[])[] = [
  (draft) => draft.instructions.map((_, at) => ({ ...draft, instructions: withoutStep(draft.instructions, at) })),
  (draft) => draft.crashes.map((_, at) => ({ ...draft, crashes: draft.crashes.toSpliced(at, 1) })),
  (draft) => draft.partitions.map((_, at) => ({ ...draft, partitions: draft.partitions.toSpliced(at, 1) })),
  (draft) => (draft.groups.length > 1 ? [{ ...draft, groups: [{ ...draft.groups[0], share: 1 }] }] : []),
  (draft) => [
    ...(Object.keys(draft.links).length > 0 ? [{ ...draft, links: {} }] : []),
    ...[draft.nodes - 2, draft.nodes - 1, 4, 3, 2]
      .filter((nodes) => nodes >= MIN_NODES && nodes < draft.nodes)
      .map((nodes) => sized(draft, nodes)),
  ],
]

/** What is about a service that is not published any more goes with it; later services have other numbers. */
function withoutStep(steps: readonly Step[], without: number): Step[] {
  const numbers = new Map<number, number>()
  let published = 0
  return steps.flatMap((step, at) => {
    const about = step.service === undefined ? undefined : numbers.get(step.service)
    const isKept = at !== without && (step.service === undefined || about !== undefined)
    if (step.do === 'publish' || step.do === 'update') {
      if (isKept) numbers.set(published, numbers.size)
      published++
    }
    if (!isKept) return []
    return [about === undefined ? step : { ...step, service: about }]
  })
}

/** A mesh of so many nodes in which all are neighbours, or as many as before. */
function sized(draft: Draft, nodes: number): Draft {
  const degree = Math.min(draft.topology.degree, nodes - 1)
  const even = (nodes * degree) % 2 === 0 ? degree : Math.max(1, degree - 1)
  return { ...draft, nodes, topology: { ...draft.topology, degree: even } }
}
