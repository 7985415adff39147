import type Docker from 'dockerode'
import { type Clock, deadline, sleep } from '../../base/clock.ts'
import { TimeoutError, UnavailableError } from '../../base/errors.ts'
import type { Engine } from '../docker/engine.ts'

/** Between looks whether it has ended: at first, and at last. */
const LOOK_MS = 10
const LOOK_MAX_MS = 500

export type ExecInit = { readonly user: string; readonly command: readonly string[] }

/** Begins a program in a container, with nothing of its output. Answers its id. */
export async function beginExec(engine: Engine, container: string, { user, command }: ExecInit): Promise<string> {
  const options = { Cmd: [...command], User: user, WorkingDir: '/', AttachStdout: false, AttachStderr: false }
  const { id } = await engine.ask((docker) => docker.getContainer(container).exec(options))
  // an answer that nobody reads keeps its connection, and the node
  const answer = await engine.ask((docker) => docker.getExec(id).start({ Detach: true }))
  answer.destroy()
  return id
}

/** Runs a program in a container to its end. Answers its exit code. */
export async function execToEnd(
  engine: Engine,
  container: string,
  init: ExecInit & { readonly clock: Clock; readonly timeoutMs: number },
): Promise<number> {
  const { clock } = init
  using limit = deadline(clock, init.timeoutMs, new TimeoutError('a program in the pool does not end'))
  const id = await beginExec(engine, container, init)
  for (let pauseMs = LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LOOK_MAX_MS)) {
    const state = await engine.askMaybe((docker) => docker.getExec(id).inspect())
    if (state === undefined) throw new UnavailableError('the engine does not know it any more')
    if (!state.Running && state.ExitCode !== null) return state.ExitCode
    await sleep(clock, pauseMs, { signal: limit.signal })
  }
}

/** The process, in the engine's numbering, of a program that was begun with this argument; undefined where it has ended. */
export async function pidWithArgument(
  engine: Engine,
  container: string,
  argument: string,
): Promise<number | undefined> {
  const found = await engine.askMaybe((docker) => docker.getContainer(container).inspect())
  for (const id of found?.ExecIDs ?? []) {
    const state = await engine.askMaybe((docker) => docker.getExec(id).inspect())
    if (state?.Running && argumentsOf(state).includes(argument)) return state.Pid
  }
  return undefined
}

function argumentsOf({ ProcessConfig }: Docker.ExecInspectInfo): readonly string[] {
  return ProcessConfig.arguments ?? []
}
