import { fileURLToPath } from 'node:url'
import { systemClock } from '../base/clock.ts'
import { systemRng } from '../base/rng.ts'
import { COMMANDS } from './commands/index.ts'
import { type Hangup, watchSignals } from './process-signals.ts'
import { runCli } from './run.ts'

/** The command line of this process. */
export async function runProgram(hangup: Hangup, version: string): Promise<void> {
  const clock = systemClock()
  using outside = watchSignals(process, hangup, clock)
  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    commands: COMMANDS,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    clock,
    rng: systemRng(),
    signal: outside.signal,
    onReload: outside.onReload,
    endOnHangup: outside.endOnHangup,
    self: [...process.execArgv, fileURLToPath(new URL(import.meta.url.replace(/program(\.[jt]s)$/, 'main$1')))],
    version,
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
}
