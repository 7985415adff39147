import type { Fault } from './fault.ts'
import type { Ran } from './patched-tree.ts'

/** What `sim fuzz --patch` found of a fault. */
export type Detection = {
  readonly fault: string
  readonly seed: string
  /** the invariant that breaks, or `run-ends`; null: nothing broke */
  readonly breaks: string | null
  /** Does it hold in the same scenario without the patch? Null where nothing broke. */
  readonly holdsWithoutPatch: boolean | null
  /** of the scenario that was made smaller */
  readonly nodes: number | null
  readonly instructions: number | null
}

/** A fault counts as found where so many seeds find it. */
export const SEEDS_THAT_FIND = 2

/** A scenario that breaks the same invariant without the patch shows nothing of the patch. */
export function isFound({ breaks, holdsWithoutPatch }: Detection): boolean {
  return breaks !== null && holdsWithoutPatch === true
}

export function foundFaults(faults: readonly Pick<Fault, 'name'>[], all: readonly Detection[]): string[] {
  const seedsOf = (name: string) =>
    new Set(all.filter((one) => one.fault === name && isFound(one)).map(({ seed }) => seed))
  return faults.map(({ name }) => name).filter((name) => seedsOf(name).size >= SEEDS_THAT_FIND)
}

/** A row for each fault, as documents have it. */
export function detectionTable(faults: readonly Pick<Fault, 'name'>[], all: readonly Detection[]): string {
  const rows = faults.map(({ name }) => {
    const tried = all.filter((one) => one.fault === name)
    const found = tried.filter(isFound)
    const breaks = [...new Set(found.map((one) => one.breaks))].join(', ') || '-'
    return `| ${name} | ${found.length} of ${tried.length} | ${breaks} | ${listed(found, 'nodes')} | ${listed(found, 'instructions')} |`
  })
  const heading = '| fault | seeds that find it | breaks | nodes | instructions |\n|---|---|---|---|---|'
  return `${heading}\n${rows.join('\n')}\n`
}

/** in the order of the seeds */
function listed(found: readonly Detection[], of: 'nodes' | 'instructions'): string {
  return found.map((one) => one[of] ?? '?').join(', ') || '-'
}

type Failing = { readonly scenario: string; readonly engine: Fault['engine']; readonly breaks: string }

/** `run` runs the command line of sources that do not have the patch. */
export async function holdsIn(
  run: (line: readonly string[]) => Promise<Ran>,
  { scenario, engine, breaks }: Failing,
): Promise<boolean> {
  const { stdout } = await run(['sim', 'run', scenario, '--engine', engine, '--json'])
  const [line] = stdout.split('\n')
  // it did not come to its end: nothing is known of its invariants
  if (line === undefined || line === '') return false
  const { violations } = JSON.parse(line) as { readonly violations: Readonly<Record<string, readonly string[]>> }
  return violations[breaks] === undefined
}
