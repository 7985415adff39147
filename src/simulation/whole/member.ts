import { peerIdOf } from '../../../protocols/address.ts'
import type { Clock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { seededRng } from '../../base/rng.ts'
import type { Identity } from '../../config/index.ts'
import { createNode, type ThundercloudNode } from '../../node/index.ts'
import { andromeda } from '../../runner/andromeda/index.ts'
import { createInProcessRunnerHost } from '../../runner/index.ts'
import type { Platform } from '../machine/platform.ts'
import { identityOf } from '../plan/identity.ts'
import { fastRandom } from '../plan/random.ts'
import type { Scenario } from '../scenario/scenario.ts'
import { configurationOf, type Place } from './configuration.ts'
import { hostOf } from './links.ts'

/** One of a scenario's nodes, before it is started. */
export type Member = {
  readonly name: string
  readonly host: string
  readonly peerId: string
  readonly multiaddr: string
  readonly identity: Identity
}

type MemberInit = Omit<Place, 'dir' | 'listen'> & {
  /** counts the starts of this node, from 0 */
  readonly start: number
}

const PORT = 4980

export function memberOf({ seed }: Scenario, index: number): Member {
  const name = `node-${index}`
  const host = hostOf(index)
  const identity = identityOf(seed, index)
  const peerId = peerIdOf(identity.signer.address)
  return { name, host, peerId, multiaddr: `/ip4/${host}/tcp/${PORT}/p2p/${peerId}`, identity }
}

/** A whole node, as a program has it. */
export function startMember(
  { clock, platform }: { clock: Clock; platform: Platform },
  { name, host, identity }: Member,
  init: MemberInit,
): Promise<ThundercloudNode> {
  const { scenario, start } = init
  const seed = start === 0 ? `${scenario.seed}/${name}` : `${scenario.seed}/${name}/${start}`
  const runnerHost = createInProcessRunnerHost({ clock }, { runner: andromeda, answerMs: answerMsOf(scenario, seed) })
  return createNode(
    { clock, rng: seededRng(seed), log: silentLog(), runnerHost, platform },
    {
      configuration: configurationOf({ ...init, dir: '/node', listen: `/ip4/${host}/tcp/${PORT}` }),
      identity,
      version: '0.0.0',
      dht: scenario.dht,
      // one that leaves takes its runs with it; after a crash they are adopted
      stopRunsOnClose: true,
    },
  )
}

function answerMsOf({ verdictMs: { min, max } }: Scenario, seed: string): () => number {
  const random = fastRandom(`${seed}/verdicts`)
  return () => min + random.fraction() * (max - min)
}
