import type { AlertView } from '../../alerts/index.ts'
import { createApiClient } from '../../api/client/client.ts'
import { messageOf } from '../../base/errors.ts'
import { howMany, sanitizeText } from '../../base/format.ts'
import type { Cli } from '../cli.ts'
import { findOperatorSocket } from '../operator-socket.ts'
import { commandText } from '../output/command-text.ts'
import { type Check, ok, warn } from './check.ts'
import { checkReachability } from './reachability.ts'

const ASK_MS = 3_000

/** The node of a folder, where one runs: does it answer, and does it take services? */
export async function checkRunningNode(
  { env, clock, signal }: Pick<Cli, 'env' | 'clock' | 'signal'>,
  folder: string,
): Promise<Check[]> {
  const socketPath = await findOperatorSocket(folder, env)
  if (socketPath === undefined) return []
  const what = 'node'
  const typed = (word: string) => commandText({ globals: { dir: folder } }, [word])
  try {
    const client = createApiClient({ url: 'http://localhost', socketPath, clock, timeoutMs: ASK_MS })
    const { version, peers, running, drain, paused } = await client.health({ signal })
    const found = `version ${version} runs, with ${howMany(peers, 'peer', 'peers')} and ${howMany(running, 'run', 'runs')}`
    const held = [
      ...(drain === undefined
        ? []
        : [warn(what, 'it is drained and takes no new service', `${typed('undrain')} ends that`)]),
      ...(paused === undefined
        ? []
        : [warn(what, 'it is paused and begins no new run', `${typed('resume')} ends that`)]),
    ]
    const reachability = checkReachability(await client.reachability({ signal }))
    const undelivered = (await client.alerts.list({ signal })).flatMap(checkAlert)
    return [...(held.length === 0 ? [ok(what, found)] : held), reachability, ...undelivered]
  } catch (error) {
    signal.throwIfAborted()
    return [warn(what, `a node runs here and does not answer: ${messageOf(error)}`, "look into the node's log")]
  }
}

/** A notice that its operator did not get. */
function checkAlert({ alert, by, target, last, dropped }: AlertView): Check[] {
  const lost = dropped === 0 ? '' : `; ${howMany(dropped, 'notice was', 'notices were')} dropped`
  if (last === undefined || (last.outcome === 'delivered' && dropped === 0)) return []
  const problem = last.problem === undefined ? '' : `: ${sanitizeText(last.problem, 200)}`
  const found = `the ${by} ${sanitizeText(target, 100)} of "${alert}" ${last.outcome === 'delivered' ? 'works now' : `did not take the last notice${problem}`}${lost}`
  return [warn('alerts', found, `try it: thundercloud alert test ${alert}`)]
}
