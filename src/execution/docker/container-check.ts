import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Run } from '../types.ts'
import type { Engine } from './engine.ts'

/** Between looks whether it has ended: at first, and at last. */
const LOOK_MS = 50
const LOOK_MAX_MS = 1000

/**
 * Runs a check in a container: as its user, in its namespaces and control groups, with its filter of system calls. An engine
 * cannot end what it has started so; it ends by itself or with the run, and until then there is no other.
 */
export function createContainerCheck(engine: Engine, container: string, clock: Clock): NonNullable<Run['check']> {
  /** the one that began last, until its end was seen */
  let last: string | undefined
  const look = (id: string) => engine.askMaybe((docker) => docker.getExec(id).inspect())

  return async (command, { timeoutMs, signal }) => {
    if (last !== undefined && (await look(last))?.Running)
      throw new UnavailableError('the command of an earlier check has not ended')
    using limit = deadline(clock, timeoutMs, new TimeoutError('it did not end in time'), signal)
    const { id } = await engine.ask((docker) => docker.getContainer(container).exec({ Cmd: [...command] }))
    last = id
    await engine.ask((docker) => docker.getExec(id).start({ Detach: true }))
    for (let pauseMs = LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LOOK_MAX_MS)) {
      const state = await look(id)
      if (state === undefined) throw new UnavailableError('the engine does not know it any more')
      if (!state.Running && state.ExitCode !== null) return state.ExitCode
      await sleep(clock, pauseMs, { signal: limit.signal })
    }
  }
}
