import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { ROOT } from './build.ts'

/**
 * The files that take longest, slowest first. On a machine that knows no times of an earlier run, vitest begins with the
 * largest files: one that runs a whole kit in ten lines would begin last, and run alone in the end.
 */
const SLOWEST = [
  'compliance/executor/swarm',
  'integration/execution/swarm',
  'e2e/kill',
  'integration/execution/kill',
  'compliance/executor/apart',
  'compliance/executor/warm-docker',
  'compliance/limits/host',
  'integration/node/chaos',
  'cases/strangers/attack',
  'compliance/executor/docker',
  'cases/strangers/logs',
  'integration/packages/packages',
  'compliance/limits/swarm',
  'e2e/documents/documents',
  'integration/node/replicas',
  'cases/reports/updates',
  'cases/reports/waiting',
  'integration/execution/run-egress',
  'integration/node/swarm',
  'integration/execution/swarm-leftovers',
  'compliance/source',
  'integration/packages/registry-service',
  'compliance/limits/docker',
  'compliance/executor/warm-host',
  'compliance/executor/pool',
  'integration/execution/supervised',
  'integration/node/decisions',
  'integration/node/siblings',
  'e2e/demo',
  'compliance/executor/host',
  'integration/node/drain',
  'cases/reports/nodes',
  'unit/placement/placement-model',
  'integration/gossip/reach',
]
const places = new Map(SLOWEST.map((name, place) => [fileOf(name), place]))

/** Begins the slowest files first, so that none is left to run alone. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = [...places.keys()].find((file) => !existsSync(file))
    if (gone !== undefined)
      throw new Error(`SLOWEST in test/slowest-first.ts names ${gone}, which is no file; mend the list`)
    const sorted = await super.sort(files)
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder ?? 0
    const placeOf = ({ moduleId }: TestSpecification) => places.get(moduleId) ?? SLOWEST.length
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b))
  }
}

function fileOf(name: string): string {
  return join(ROOT, 'test', `${name}.test.ts`)
}
