import { pathToFileURL } from 'node:url'
import { defineConfig } from 'vitest/config'
import { builtFile, ROOT } from './test/build.ts'
import { SlowestFirst } from './test/slowest-first.ts'

/** A module of src that starts processes starts the built ones, as it does where it is built itself. */
const builtProcesses = {
  name: 'built-processes',
  enforce: 'pre',
  transform(code: string, id: string): string | undefined {
    if (!id.startsWith(`${ROOT}/src/`) || !code.includes("/base/child-entry.ts'")) return undefined
    return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(builtFile(id)).href))
  },
} as const

/** What starts containers and processes waits for them most of the time. */
const RUNS = [
  'test/{compliance,e2e}/**/*.test.ts',
  'test/integration/execution/**/*.test.ts',
  // these have a mesh of seven nodes, and of ten
  'test/integration/node/!(replicas).test.ts',
  'test/integration/packages/!(four-ways).test.ts',
  'test/cases/reports/**/*.test.ts',
]

export default defineConfig({
  plugins: [builtProcesses],
  // As `node --conditions=thundercloud-source`: the package's own name leads to sources, also in child processes.
  ssr: { resolve: { conditions: ['thundercloud-source', 'module', 'node', 'development|production'] } },
  test: {
    globalSetup: ['test/build.ts'],
    setupFiles: ['test/setup.ts'],
    // A process that loaded libp2p once serves many test files: 2 s for 20 files instead of 20 s.
    pool: 'forks',
    isolate: false,
    // a wait that is not over on a busy machine is not yet a failure
    expect: { poll: { timeout: 45_000 } },
    testTimeout: 150_000,
    hookTimeout: 150_000,
    teardownTimeout: 20_000,
    reporters: ['verbose'],
    sequence: { sequencer: SlowestFirst },
    projects: [
      { extends: true, test: { name: 'runs', include: RUNS, maxWorkers: 4, sequence: { groupOrder: 0 } } },
      // what computes, and meshes of many nodes in a process: more at a time than there are cores, and peers time out
      {
        extends: true,
        test: {
          name: 'nodes',
          include: ['test/**/*.test.ts'],
          exclude: RUNS,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
