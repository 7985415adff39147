import { InputError } from '../../base/errors.ts'
import { wholeScenario } from './read.ts'
import type { Scenario } from './scenario.ts'

const OPTIONS = { crash: '--crash', powerCut: '--power-cut' } as const

/** The same scenario with more crashes, each as `--crash` or `--power-cut` says it: node=7,point=1234 */
export async function withCrashes(
  scenario: Scenario,
  texts: readonly string[],
  kind: keyof typeof OPTIONS = 'crash',
): Promise<Scenario> {
  if (texts.length === 0) return scenario
  const option = OPTIONS[kind]
  const more = texts.map((text) => ({ ...parse(text, option), powerCut: kind === 'powerCut' }))
  return await wholeScenario({ ...scenario, crashes: [...scenario.crashes, ...more] }, { file: option, folder: '/' })
}

function parse(text: string, option: string): { node: number; point: number } {
  const [, node, point] = /^node=(\d{1,9}),point=(\d{1,10})$/.exec(text) ?? []
  if (node === undefined || point === undefined)
    throw new InputError(`${option} is ${JSON.stringify(text)}; allowed is a node and a point, like node=7,point=1234`)
  return { node: Number(node), point: Number(point) }
}
