import { z } from 'zod'
import { checkScenario } from './contradictions.ts'
import { type ScenarioKeys, scenarioKeys } from './schema.ts'

/** A scenario, as people write it. */
export const scenarioSchema = scenarioKeys.superRefine(checkScenario)

export type Topology = Exclude<ScenarioKeys['topology'], { readonly kind: 'file' }>

/**
 * What is simulated. Data, and whole: policies and topologies that were files are in it, so that it is a scenario file
 * itself, which needs no other one but runners.
 */
export type Scenario = Omit<ScenarioKeys, '$schema' | 'groups' | 'topology'> & {
  readonly groups: readonly {
    readonly name: string
    readonly share: number
    /** "andromeda", or the absolute path of a file */
    readonly runner: string
    /** keys of a runner's configuration */
    readonly policy: Readonly<Record<string, unknown>>
  }[]
  readonly topology: Topology
}

export type Instruction = Scenario['instructions'][number]

/** The JSON Schema of scenario files, as editors read it. */
export function scenarioSchemaText(): string {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
  return `${JSON.stringify({ ...schema, title: 'a scenario of a Thundercloud simulation' }, null, 2)}\n`
}
