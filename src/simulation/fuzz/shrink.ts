import { withFewerNodes, withNodes } from './fewer-nodes.ts'
import type { Draft, Step } from './generate.ts'

/** Fewer are no mesh. */
const MIN_NODES = 2

/** Does it still fail in the same way? False too where it is no scenario. */
type Fails = (draft: Draft) => Promise<boolean>

/** Makes one part of a failing scenario smaller. */
type Reduce = (draft: Draft, fails: Fails) => Promise<Draft>

/** Makes a failing scenario smaller as long as it still fails, a part after another. `more` says whether there is time. */
export async function shrink(draft: Draft, fails: Fails, more: () => boolean): Promise<Draft> {
  const failsInTime: Fails = async (candidate) => more() && (await fails(candidate))
  let smallest = draft
  for (let before: Draft | undefined; before !== smallest && more(); ) {
    before = smallest
    for (const reduce of REDUCTIONS) smallest = await reduce(smallest, failsInTime)
  }
  return smallest
}

const REDUCTIONS: readonly Reduce[] = [
  (draft, fails) =>
    fewer(draft, fails, {
      items: [...draft.instructions.keys()],
      least: 0,
      make: (kept) => ({ ...draft, instructions: stepsOf(draft.instructions, new Set(kept)) }),
    }),
  (draft, fails) => fewer(draft, fails, { items: draft.crashes, least: 0, make: (crashes) => ({ ...draft, crashes }) }),
  (draft, fails) =>
    fewer(draft, fails, { items: draft.partitions, least: 0, make: (partitions) => ({ ...draft, partitions }) }),
  firstOf((draft) => (draft.groups.length > 1 ? [{ ...draft, groups: [{ ...draft.groups[0], share: 1 }] }] : [])),
  firstOf(withFewerNodes),
  (draft, fails) => fewer(draft, fails, { ...withNodes(draft, { merge: true }), least: MIN_NODES }),
  (draft, fails) => fewer(draft, fails, { ...withNodes(draft, { merge: false }), least: MIN_NODES }),
  firstOf((draft) => (Object.keys(draft.links).length > 0 ? [{ ...draft, links: {} }] : [])),
]

type Parts<T> = {
  readonly items: readonly T[]
  /** so many are kept at least */
  readonly least: number
  make(kept: readonly T[]): Draft
}

/** Leaves out half of the items, a quarter, and so on to each alone: delta debugging. The last are tried first. */
async function fewer<T>(draft: Draft, fails: Fails, { items, least, make }: Parts<T>): Promise<Draft> {
  let [smallest, kept] = [draft, items]
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = kept.length; end > 0; end -= size) {
      const left = kept.toSpliced(Math.max(0, end - size), Math.min(size, end))
      if (left.length < least) continue
      const candidate = make(left)
      if (sizeOf(candidate) >= sizeOf(smallest) || !(await fails(candidate))) continue
      smallest = candidate
      kept = left
    }
  }
  return smallest
}

/** The first of these smaller ones that fails too. */
function firstOf(smaller: (draft: Draft) => readonly Draft[]): Reduce {
  return async (draft, fails) => {
    for (const candidate of smaller(draft)) if (await fails(candidate)) return candidate
    return draft
  }
}

function sizeOf({ nodes, instructions, crashes, partitions }: Draft): number {
  return nodes + instructions.length + crashes.length + partitions.length
}

/** What is about a service that is not published any more goes with it; later services have other numbers. */
function stepsOf(steps: readonly Step[], kept: ReadonlySet<number>): Step[] {
  const numbers = new Map<number, number>()
  let published = 0
  return steps.flatMap((step, at) => {
    const about = step.service === undefined ? undefined : numbers.get(step.service)
    const isKept = kept.has(at) && (step.service === undefined || about !== undefined)
    if (step.do === 'publish' || step.do === 'update') {
      if (isKept) numbers.set(published, numbers.size)
      published++
    }
    if (!isKept) return []
    return [about === undefined ? step : { ...step, service: about }]
  })
}
