import { afterAll, beforeAll, it } from 'vitest'
import { type Mesh, startMesh } from './mesh.ts'
import { play } from './play.ts'
import { SCENARIOS } from './scenarios.ts'
import { openShell, type Shell } from './shell.ts'

/** A document has some ten commands. On a busy machine each of them, and the start of a node, takes ten seconds. */
const TIMEOUT_MS = 600_000

let shell: Shell
let mesh: Mesh
beforeAll(async () => {
  shell = openShell()
  mesh = await startMesh(shell)
}, TIMEOUT_MS)
afterAll(() => shell[Symbol.asyncDispose](), TIMEOUT_MS)

// that every command of every document is in a scenario, or says why it is not: test/unit/documents/commands.test.ts
for (const scenario of SCENARIOS) {
  it.skipIf(scenario.needs?.() === false)(
    `${scenario.document}: its commands do what it says`,
    { timeout: TIMEOUT_MS },
    () => play(scenario, shell, mesh),
  )
}
