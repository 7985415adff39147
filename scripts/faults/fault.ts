import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const HERE = import.meta.dirname
const PATCHES = join(HERE, 'patches')

/** A mistake that could be made in the code of the node, as a patch, and a scenario that shows it. */
export type Fault = {
  readonly name: string
  /** one sentence: what the node does wrong */
  readonly what: string
  /** the invariant that breaks; or `assertion`: one of the scenario's own */
  readonly breaks: string
  readonly engine: 'virtual' | 'simulated'
  /** path of the patch; git passes over its heading */
  readonly patch: string
  /** path of the scenario */
  readonly scenario: string
}

export function allFaults(): Fault[] {
  const files = readdirSync(PATCHES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.patch'))
  return files.sort().map((file) => faultOf(join(PATCHES, file)))
}

/** The heading of a patch has a line for each key. */
function faultOf(patch: string): Fault {
  const name = basename(patch, '.patch')
  const [heading = ''] = readFileSync(patch, 'utf8').split('--- ', 1)
  const lineOf = (key: string) => {
    const value = new RegExp(`^${key}: (.+)$`, 'm').exec(heading)?.[1]
    if (value === undefined) throw new Error(`${patch}: its heading has no line "${key}: ..."`)
    return value
  }
  const engine = lineOf('Engine')
  if (engine !== 'virtual' && engine !== 'simulated')
    throw new Error(`${patch}: Engine is "${engine}"; allowed is virtual or simulated`)
  const scenario = join(HERE, 'scenarios', `${lineOf('Scenario')}.json`)
  return { name, what: lineOf('Fault'), breaks: lineOf('Breaks'), engine, patch, scenario }
}
