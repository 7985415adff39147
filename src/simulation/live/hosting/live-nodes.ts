import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdOf } from '../../../../protocols/address.ts'
import { machineClock } from '../../../base/clock.ts'
import { InputError } from '../../../base/errors.ts'
import { createEvents } from '../../../base/events.ts'
import { silentLog } from '../../../base/log.ts'
import { systemRng } from '../../../base/rng.ts'
import { initFolder, readPolicy } from '../../../config/index.ts'
import { createNode, type NodeEvents, type ThundercloudNode } from '../../../node/index.ts'
import { createRunnerHost } from '../../../runner/index.ts'
import { identityOf } from '../../plan/identity.ts'
import { planOf } from '../../plan/plan.ts'
import { trustedIn } from '../../plan/policy.ts'
import type { Scenario } from '../../scenario/scenario.ts'
import { addCode, addressOf, attestationOf, manifestOf } from '../../whole/acts.ts'
import { configurationOf } from '../../whole/configuration.ts'
import { createGossipTap, type GossipTap, type KnownMessages } from '../../whole/gossip-tap.ts'
import { TRANSLATED } from '../../whole/translate.ts'
import type { Line, NodeOrder } from '../messages.ts'
import { type Conduct, usage } from './conduct.ts'
import { livePlatform } from './live-platform.ts'

type Hosting = { readonly scenario: Scenario; readonly dir: string; readonly tell: (line: Line) => void }

/** The nodes of this process, which share its runner. None is there before an order starts it. */
export async function hostNodes({ scenario, dir, tell }: Hosting): Promise<Conduct<NodeOrder>> {
  const clock = machineClock()
  const log = silentLog()
  const plan = planOf(scenario)
  const { authors, hubs } = trustedIn(plan.timeline)
  const addresses = (nodes: readonly number[]) =>
    nodes.map((node) => addressOf({ identity: identityOf(scenario.seed, node) }))
  const trusted = { authors: addresses(authors), hubs: addresses(hubs) }
  const runnerHost = createRunnerHost({ clock, log, events: createEvents<NodeEvents>() }, await runnerIn(dir))
  await runnerHost.start()
  const nodes = new Map<number, ThundercloudNode>()
  const messages: KnownMessages = new Map()
  const taps = new Map<number, GossipTap>()
  const nodeOf = (node: number) => {
    const up = nodes.get(node)
    if (up === undefined) throw new InputError(`node ${node} is not there`)
    return up
  }

  async function start({ node, listen, neighbours }: Extract<NodeOrder, { do: 'start' }>) {
    const identity = identityOf(scenario.seed, node)
    const folder = join(dir, `node-${node}`)
    const tap = taps.get(node) ?? createGossipTap(messages)
    taps.set(node, tap)
    await mkdir(folder, { recursive: true })
    const group = plan.groupOf[node] as number
    const up = await createNode(
      { clock, rng: systemRng(), log, runnerHost, platform: livePlatform(clock, tap) },
      {
        configuration: configurationOf({ scenario, group, neighbours, trusted, dir: folder, listen }),
        ...{ identity, version: '0.0.0', dht: scenario.dht, stopRunsOnClose: true },
      },
    )
    nodes.set(node, up)
    const views = up.services().map(({ id, supersededBy, stoppedBy, run }) => {
      return { id, supersededBy, stoppedBy, run: run && { state: run.state } }
    })
    tell({ up: [clock.monotonic(), node, views] })
    up.events.on('intake:emitted', tap.onEmitted)
    up.events.onAny((name, detail) => {
      if (TRANSLATED.has(name)) tell({ event: [clock.monotonic(), node, name, detail] })
    })
    return { multiaddrs: up.multiaddrs(), peerId: peerIdOf(identity.signer.address) }
  }

  return async (order) => {
    switch (order.do) {
      case 'start':
        return await start(order)
      case 'publish': {
        const node = nodeOf(order.node)
        const { code } = await addCode(node, order.service)
        tell({ published: [clock.monotonic(), order.node, order.service, code] })
        return { code, ...(await node.publishManifest(manifestOf(order.name, code, order.of))) }
      }
      case 'stop':
        return await nodeOf(order.node).stop(order.id)
      case 'attest': {
        const signed = attestationOf(identityOf(scenario.seed, order.node), order.code, { ...order, clock })
        return await nodeOf(order.node).submitStatement(signed, { asPublisher: true })
      }
      case 'leave': {
        const node = nodes.get(order.node)
        nodes.delete(order.node)
        await node?.[Symbol.asyncDispose]()
        return node !== undefined
      }
      case 'peers':
        return nodeOf(order.node)
          .peers()
          .map(({ peerId }) => peerId)
      case 'usage':
        return { ...usage(), traffic: [...taps].map(([node, tap]) => [node, tap.traffic()]) }
    }
  }
}

/** Andromeda, as an operator's folder has it. Its settings come with each question. */
async function runnerIn(dir: string) {
  await mkdir(dir, { recursive: true })
  const folder = await mkdtemp(join(dir, 'operator-'))
  await initFolder(folder)
  const runner = join(folder, 'runners', 'andromeda')
  return { entry: join(runner, 'runner.js'), dir: runner, network: false, config: readPolicy({}).policy.config }
}
