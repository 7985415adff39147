import type { Clock } from '../../base/clock.ts'
import { InputError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { type Plan, planOf } from '../plan/plan.ts'
import type { Action } from '../plan/timeline.ts'
import { checkSupported } from '../scenario/unsupported.ts'
import type { Engine, Outcome, RunOptions } from '../types.ts'
import { type Announcement, BYTES_EACH, spreadOf } from './announcement.ts'
import { type Attackers, createAttackers } from './attackers.ts'
import { type Connections, createConnections } from './connections.ts'
import { TICKS_PER_MS } from './constants.ts'
import { announcementOf, depthOf, KIND, kindOf, MAX_ANNOUNCEMENTS, placeOf, restOf } from './messages.ts'
import { createRecorder } from './recorder.ts'
import { createStage, type Stage } from './stage.ts'
import { createWorld, hears, linkAt, nodeAt } from './world.ts'

const MAX_BYTES = 8 * 2 ** 30
/** Between two looks at whether someone wants it to end. */
const LOOK_EVERY_EVENTS = 20_000

/**
 * A model: events in virtual time, a row in typed arrays for each node. Gossip is a model of gossipsub with the parameters
 * of src/network; what becomes of a copy is decided by the forwarding rules of src/intake, and whether a service runs or is
 * redirected by Andromeda.
 */
export function createVirtualEngine({ clock }: { clock: Clock }): Engine {
  return {
    name: 'virtual',
    depth: 'model',
    async run(scenario, options = {}) {
      const began = clock.monotonic()
      checkSupported(scenario, 'virtual')
      const plan = planOf(scenario)
      checkSize(plan)
      const recorder = createRecorder(scenario.nodes, options)
      const world = createWorld(plan, recorder)
      const stage = createStage(world)
      try {
        await play(stage, clock, options)
      } finally {
        // also of a run that is interrupted
        for (const announcement of stage.announcements) {
          const table = spreadOf(announcement, world.traffic)
          if (announcement.kind === 'service') options.onSpread?.(table)
        }
        options.onTraffic?.(world.traffic)
      }
      const outcome: Outcome = {
        ...recorder.result(),
        endedMs: world.tick / TICKS_PER_MS,
        elapsedSeconds: (clock.monotonic() - began) / 1000,
        peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      }
      return outcome
    },
  }
}

function checkSize({ scenario, timeline }: Plan): void {
  const count = timeline.filter((action) => ['publish', 'stop', 'attest'].includes(action.do)).length
  if (count > MAX_ANNOUNCEMENTS)
    throw new InputError(`instructions announce ${count} times; the virtual engine takes ${MAX_ANNOUNCEMENTS} at most`)
  const bytes = count * scenario.nodes * BYTES_EACH
  if (bytes > MAX_BYTES) {
    const most = Math.floor(MAX_BYTES / BYTES_EACH / scenario.nodes)
    throw new InputError(
      `instructions announce ${count} times at ${scenario.nodes} nodes, which takes ${formatBytes(bytes)}; announce ${most} times at most, or have fewer nodes`,
    )
  }
}

/** All that happenings are handed to. */
type Cast = { readonly stage: Stage; readonly connections: Connections; readonly attackers: Attackers }

async function play(stage: Stage, clock: Clock, { signal, onProgress }: RunOptions): Promise<void> {
  const { world } = stage
  const { scenario, timeline } = world.plan
  const connections = createConnections(stage)
  const cast: Cast = { stage, connections, attackers: createAttackers(stage, connections) }
  const end = Math.round(scenario.seconds * 1000) * TICKS_PER_MS
  const quiet = (scenario.stop.quietSeconds ?? Number.POSITIVE_INFINITY) * 1000 * TICKS_PER_MS
  let [next, sinceLook, busyAt] = [0, 0, 0]
  for (;;) {
    const action = timeline[next]
    const actionAt = action === undefined ? Number.POSITIVE_INFINITY : Math.round(action.ms * TICKS_PER_MS)
    const eventAt = world.calendar.next(world.tick) ?? Number.POSITIVE_INFINITY
    const tick = Math.min(actionAt, eventAt)
    if (tick > end || tick - busyAt > quiet) break
    world.tick = tick
    if (action !== undefined && actionAt === tick) {
      carryOut(action, cast)
      next++
      busyAt = tick
      continue
    }
    const events = world.calendar.take(tick)
    sinceLook += events.length
    if (dispatchAll(events, cast)) busyAt = tick
    if (sinceLook < LOOK_EVERY_EVENTS) continue
    sinceLook = 0
    onProgress?.(tick / TICKS_PER_MS)
    await clock.nextTurn()
    signal?.throwIfAborted()
  }
  world.tick = Math.min(end, world.tick + (Number.isFinite(quiet) ? quiet : end))
}

function carryOut(action: Action, { stage, connections, attackers }: Cast): void {
  switch (action.do) {
    case 'publish':
      stage.publish(action)
      break
    case 'stop':
      stage.stop(action)
      break
    case 'attest':
      stage.attest(action)
      break
    case 'leave':
      connections.leave(action.nodes, action.crash)
      break
    case 'join':
      connections.join(action.nodes)
      break
    case 'cut':
      connections.cut(action.nodes)
      break
    case 'heal':
      connections.heal(action.nodes)
      break
    case 'attack':
      attackers.begin(action.attacker)
      break
  }
}

/** Answers whether an announcement arrived anywhere. */
function dispatchAll(events: Float64Array, cast: Cast): boolean {
  const { world, intake, announcements } = cast.stage
  let arrived = false
  for (const event of events) {
    const place = placeOf(event)
    const rest = restOf(event, place)
    const node = nodeAt(world, place)
    const link = linkAt(world, node, place)
    const of = announcements[announcementOf(rest)] as Announcement
    if (kindOf(rest) !== KIND.message) dispatch({ of, node, link, rest }, cast)
    else if (hears(world, node, link)) {
      intake.onMessage(of, node, link, depthOf(rest))
      arrived = true
    }
  }
  return arrived
}

type Happening = { of: Announcement; node: number; link: number; rest: number }

function dispatch(happening: Happening, cast: Cast): void {
  const { node, link, rest } = happening
  const kind = kindOf(rest)
  if (kind >= KIND.connected && kind !== KIND.garbage) atNode(happening, cast)
  else if (hears(cast.stage.world, node, link)) overLink(happening, cast)
}

function atNode({ of, node, link, rest }: Happening, { stage, connections, attackers }: Cast): void {
  const { mesh, gossip } = stage
  const depth = depthOf(rest)
  switch (kindOf(rest)) {
    case KIND.verdict:
      stage.onVerdict(of, node)
      break
    case KIND.gossip:
      gossip.onGossip(of, node, depth)
      break
    case KIND.heartbeat:
      mesh.onHeartbeat(node)
      break
    case KIND.connected:
      connections.onConnected(node, link)
      break
    case KIND.disconnected:
      connections.onDisconnected(node, link)
      break
    case KIND.spam:
      attackers.onSpam(node)
      break
  }
}

function overLink({ of, node, link, rest }: Happening, { stage, connections, attackers }: Cast): void {
  const { mesh, gossip, intake } = stage
  const depth = depthOf(rest)
  switch (kindOf(rest)) {
    case KIND.ihave:
      gossip.onIHave(of, node, link, depth)
      break
    case KIND.iwant:
      gossip.onIWant(of, node, link, depth)
      break
    case KIND.graft:
      mesh.onGraft(node, link)
      break
    case KIND.prune:
      mesh.onPrune(node, link)
      break
    case KIND.offer:
      intake.onOffer(of, node, link, depth)
      break
    case KIND.pull:
      intake.onPull(of, node, link)
      break
    case KIND.item:
      intake.onItem(of, node, link, depth)
      break
    case KIND.sync:
      connections.onSync(node, link)
      break
    case KIND.garbage:
      attackers.onGarbage(node, link)
      break
  }
}
