#!/usr/bin/env node
import { fileURLToPath } from 'node:url'
import { systemClock } from '../base/clock.ts'
import { systemRng } from '../base/rng.ts'
import { COMMANDS } from './commands/index.ts'
import { openProcess } from './process.ts'
import { runCli } from './run.ts'
import { packageVersion } from './version.ts'

const outside = openProcess(process)
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  commands: COMMANDS,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock(),
  rng: systemRng(),
  signal: outside.signal,
  onReload: outside.onReload,
  self: [...process.execArgv, fileURLToPath(import.meta.url)],
  version: packageVersion(),
  factories: {
    async node(components, init) {
      const { createNode } = await import('../node/index.ts')
      return await createNode(components, init)
    },
    async lightPeer(components, init) {
      const { createLightPeer } = await import('../node/index.ts')
      return await createLightPeer(components, init)
    },
  },
})
outside[Symbol.dispose]()
