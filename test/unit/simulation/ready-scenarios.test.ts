import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planOf } from '../../../src/simulation/plan/plan.ts'
import { readScenario } from '../../../src/simulation/scenario/read.ts'

const FOLDER = join(import.meta.dirname, '../../../configs/scenarios')
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

test('there are ready scenarios', () => expect(FILES.length).toBeGreaterThanOrEqual(5))

test.for(FILES)('%s is right, and publishes something', async (name) => {
  const { timeline, scenario } = planOf(await readScenario(join(FOLDER, name)))
  expect(scenario.description).not.toBe('')
  expect(timeline.filter((action) => action.do === 'publish')).not.toEqual([])
})
