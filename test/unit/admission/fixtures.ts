import { test } from 'vitest'
import type { Change } from '../../../src/admission/views.ts'
import type { AdmissionNode, AdmissionWorld } from '../../fixtures/node/admission-harness.ts'
import { createAdmissionWorld, policyOf } from '../../fixtures/node/admission-harness.ts'

/** A test with a node that decides, with capacity for one run, and its first start. */
export const it = test
  .extend('world', async ({ onTestFinished }) => {
    const world = await createAdmissionWorld({ policy: policyOf(1) })
    onTestFinished(() => world[Symbol.asyncDispose]())
    return world
  })
  .extend('node', ({ world }): Promise<AdmissionNode> => world.start())

export const TASK = { run: { command: ['node', 'a.js'], kind: 'task' as const } }

/** What became, since so many events, of those that neither ran nor were parked. */
export const reconsidered = (world: AdmissionWorld, after: number): Change[] =>
  world.happened
    .slice(after)
    .flatMap(([name, detail]) => (name === 'node:reconsidered' ? (detail as { changes: Change[] }).changes : []))
