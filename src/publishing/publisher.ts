import { type Announcement, encodeAnnouncement, type Signed } from '../../protocols/announcement.ts'
import { type CID, parseCid } from '../../protocols/encoding.ts'
import { DEDUPE_AFTER_EXPIRY_SECONDS } from '../../protocols/limits.ts'
import type { ServiceDecider } from '../admission/decide-service.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf, NotFoundError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Intake } from '../intake/index.ts'
import { announcementRecord, type Journal } from '../journal/index.ts'
import type { Network } from '../network/index.ts'
import type { Services, SignedService } from '../services/registry.ts'
import type { PublishedPins } from './published-pins.ts'
import type { Issued } from './service-signer.ts'

export interface PublisherComponents {
  clock: Clock
  log: Log
  journal: Pick<Journal, 'announcements' | 'heads' | 'published' | 'runs' | 'stops' | 'transaction'>
  intake: Intake
  network: Network
  services: Services
  decide: ServiceDecider
  pins: PublishedPins
}

/** The way out of what this node signed, or was handed by its operator. */
export interface Publisher {
  /** Announces to the mesh, undiminished. Returns the id. */
  publish(announcement: Announcement): Promise<string>
  /** Journals an own service that stays at home. */
  keep(issued: Issued): void
  /** Asks a node, or every neighbour, for an announcement by its id. */
  pull(id: string, from: string | undefined): Promise<void>
  knows(id: string): boolean
  /** The current version of the same (author, name), if it is another one. */
  current(signed: Signed): string | undefined
  /** Carries out verdicts that a crash left without a run. */
  resume(): void
}

export function createPublisher(components: PublisherComponents, init: { closing: AbortSignal }): Publisher {
  const { clock, log, journal, intake, network, services, decide, pins } = components

  /** A stop goes by gossip like everything else, and straight to those that run the service. */
  async function deliverStop(announcement: Announcement, ids: readonly string[]): Promise<void> {
    const bytes = encodeAnnouncement(announcement)
    for (const id of ids) {
      for await (const peer of network.dht.findProviders(parseCid(id), { signal: init.closing })) {
        network.sync.tell(peer, bytes, { signal: init.closing }).catch((error: unknown) => {
          log.debug('a stop was not taken by a node that runs the service', { peer, reason: messageOf(error) })
        })
      }
    }
  }

  async function publish(announcement: Announcement): Promise<string> {
    const { signed } = announcement
    const before = journal.announcements.liveOf(signed.body.author, signed.body.name).map(({ id }) => id)
    const { id } = await intake.publish(announcement)
    if (signed.kind === 'stop') {
      deliverStop(announcement, before).catch((error: unknown) => {
        log.debug('the nodes that run a stopped service were not found', { id, reason: messageOf(error) })
      })
      return id
    }
    const { author, name, seq, replicas, code } = signed.body
    journal.published.put({ service: id, author, name, seq, replicas, at: clock.now() })
    pins.hold(code.toString())
    // the version before lives no more
    if (before.length > 0) pins.look()
    // publishing runs nothing here, but a node that runs the version before decides on the new one
    if (before.some((older) => older !== id && isUnderWay(older))) {
      const asked = decide.decide(signed as SignedService, announcement.ticket, { signal: init.closing })
      await asked.catch((error: unknown) => log.warn('an update got no verdict here', { id, reason: messageOf(error) }))
    }
    return id
  }

  function isUnderWay(id: string): boolean {
    return journal.runs.unfinished().some(({ service }) => service === id)
  }

  return {
    publish,
    keep({ signed, ticket }) {
      if (journal.announcements.has(signed.id.toString())) return
      const { author, name, seq, expires } = signed.body
      const id = signed.id.toString()
      journal.transaction(() => {
        for (const older of journal.announcements.liveOf(author, name))
          journal.announcements.end(older.id, 'superseded', id)
        const origin = { receivedAt: clock.now(), via: 'local', own: true, redirect: false } as const
        journal.announcements.insert(announcementRecord(signed, ticket, origin))
        const forgetAt = (expires + DEDUPE_AFTER_EXPIRY_SECONDS) * 1000
        journal.heads.put(author, name, { kind: signed.kind, seq, id, forgetAt })
      })
    },
    async pull(id, from) {
      const wanted: CID[] = [parseCid(id)]
      const peers =
        from?.startsWith('/') === true
          ? [await network.dial(from, { signal: init.closing })]
          : network.peers().map(({ peerId }) => peerId)
      for (const peer of peers) {
        if ((await network.sync.pullFrom(peer, wanted, { signal: init.closing }).catch(() => 0)) > 0) return
      }
      throw new NotFoundError(`no peer that was asked has the announcement of service ${id}`)
    },
    knows: (id) => journal.announcements.has(id),
    current({ id, body }) {
      return journal.announcements.liveOf(body.author, body.name).find((record) => record.id !== id.toString())?.id
    },
    resume() {
      for (const entry of services.all()) {
        const { record, verdict, run, id } = entry
        const wanted = verdict?.verdict?.run
        if (record.state !== 'live' || wanted === undefined || wanted === false) continue
        // what ran before, was stopped, and claimed a replica again is to run as well
        if (run !== undefined && (run.state !== 'stopped' || (verdict?.at ?? 0) < run.updatedAt)) continue
        if (record.expires * 1000 > clock.now() && !journal.stops.has(id)) decide.resume(entry)
      }
    },
  }
}
