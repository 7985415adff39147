import { InputError } from '../../base/errors.ts'
import { wholeScenario } from './read.ts'
import type { Scenario } from './scenario.ts'

/** The same scenario with more crashes, each as `--crash` says it: node=7,point=1234 */
export async function withCrashes(scenario: Scenario, texts: readonly string[]): Promise<Scenario> {
  if (texts.length === 0) return scenario
  const crashes = [...scenario.crashes, ...texts.map(parse)]
  return await wholeScenario({ ...scenario, crashes }, { file: '--crash', folder: '/' })
}

function parse(text: string): { node: number; point: number } {
  const [, node, point] = /^node=(\d{1,9}),point=(\d{1,10})$/.exec(text) ?? []
  if (node === undefined || point === undefined)
    throw new InputError(`--crash is ${JSON.stringify(text)}; allowed is a node and a point, like node=7,point=1234`)
  return { node: Number(node), point: Number(point) }
}
