import type { Fault } from './fault.ts'
import type { PatchedTree } from './patched-tree.ts'

export type Found = {
  readonly found: boolean
  /** what the simulator said of it */
  readonly said: string
}

type Printed = {
  readonly violations: Readonly<Record<string, readonly string[]>>
  readonly assertions: readonly { readonly metric: string; readonly measured: number | null; readonly ok: boolean }[]
}

/** Runs the scenario of a fault where the code has it: its invariant must break. */
export async function findFault(tree: PatchedTree, { patch, scenario, engine, breaks }: Fault): Promise<Found> {
  await using _patched = await tree.apply(patch)
  const { stdout, stderr } = await tree.run(['sim', 'run', scenario, '--engine', engine, '--json'])
  const [line] = stdout.split('\n')
  if (line === undefined || line === '') return { found: false, said: `it did not run: ${stderr.trim()}` }
  const { violations, assertions } = JSON.parse(line) as Printed
  const failed = assertions.find(({ ok }) => !ok)
  const sentence = breaks === 'assertion' ? failed && `${failed.metric} is ${failed.measured}` : violations[breaks]?.[0]
  const others = Object.keys(violations)
  return { found: sentence !== undefined, said: sentence ?? `${breaks} holds; broken: ${others.join(', ') || 'none'}` }
}
