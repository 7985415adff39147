import { InputError } from '../../base/errors.ts'
import { closestMatch } from '../../base/format.ts'
import { wholeScenario } from '../scenario/read.ts'
import type { Scenario } from '../scenario/scenario.ts'

type Value = number | string | boolean

/** What a sweep changes: a key of the scenario, and the values that it takes. */
export type Vary = { readonly key: string; readonly values: readonly Value[] }

const MAX_VALUES = 1000
const EXAMPLE = '--vary redirectionDepth=0..6, links.loss=0,0.01,0.1 or nodes=100..1000/300'

/** KEY=FROM..TO, KEY=FROM..TO/STEP or KEY=VALUE,VALUE */
export function parseVary(text: string): Vary {
  const [, key, list] = /^([\w.]+)=(.+)$/.exec(text) ?? []
  if (key === undefined || list === undefined) throw wrong(text)
  const range = /^(-?[\d.]+)\.\.(-?[\d.]+)(?:\/([\d.]+))?$/.exec(list)
  if (range === null) {
    const values = list.split(',').map(readValue)
    if (values.length > MAX_VALUES || values.includes('') || new Set(values).size < values.length) throw wrong(text)
    return { key, values }
  }
  const [from, to, step] = [Number(range[1]), Number(range[2]), Number(range[3] ?? 1)]
  const count = Math.floor((to - from) / step + 1e-9) + 1
  if (!(step > 0) || !(count >= 1) || count > MAX_VALUES) throw wrong(text)
  // decimal steps add up to what people would write
  return { key, values: Array.from({ length: count }, (_, index) => Number((from + index * step).toPrecision(12))) }
}

/**
 * The scenario with that value: at a path like `links.loss` or `groups.0.share`; a single word that is no key of a scenario
 * means that key of every `publish` instruction, or else of every group's policy.
 */
export async function varied(scenario: Scenario, key: string, value: Value): Promise<Scenario> {
  const changed = structuredClone(scenario) as unknown as Json
  if (key.includes('.') || key in changed) set(changed, key.split('.'), value, key)
  else {
    const publications = scenario.instructions.filter((instruction) => instruction.do === 'publish')
    const inPublish = publications.some((instruction) => key in instruction)
    if (!inPublish) checkWord(key, [...Object.keys(publications[0] ?? {}), ...Object.keys(changed)])
    for (const instruction of changed.instructions as Json[])
      if (inPublish && instruction.do === 'publish') instruction[key] = value
    for (const group of changed.groups as Json[]) if (!inPublish) (group.policy as Json)[key] = value
  }
  return await wholeScenario(changed, { file: `--vary ${key}=${value}`, folder: '/' })
}

/** Keys of policies are in capitals, so a word that is not is nearly a key of something else. */
function checkWord(key: string, known: string[]): void {
  const guess = key === key.toUpperCase() ? undefined : closestMatch(key, known)
  if (guess !== undefined) throw new InputError(`--vary names ${key}, which is no key; did you mean ${guess}?`)
}

function readValue(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

type Json = Record<string, unknown>

function set(object: Json, [first, ...rest]: string[], value: Value, key: string): void {
  const at = first as string
  if (rest.length === 0) {
    object[at] = value
    return
  }
  const next = Object.hasOwn(object, at) ? object[at] : undefined
  if (typeof next !== 'object' || next === null) {
    throw new InputError(`--vary names ${key}, but the scenario has no ${at}; name a key that the scenario has`)
  }
  set(next as Json, rest, value, key)
}

function wrong(text: string): InputError {
  return new InputError(`--vary is ${JSON.stringify(text)}; allowed is a key with values, like ${EXAMPLE}`)
}
