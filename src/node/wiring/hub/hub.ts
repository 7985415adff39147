import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { addressBytes, formatAddress } from '../../../../protocols/address.ts'
import { parseCid } from '../../../../protocols/encoding.ts'
import { attestationSubject } from '../../../../protocols/statement.ts'
import type { AddressTexts } from '../../../base/address-texts.ts'
import { type Clock, nowSeconds } from '../../../base/clock.ts'
import { InputError, messageOf } from '../../../base/errors.ts'
import type { Events } from '../../../base/events.ts'
import type { Log } from '../../../base/log.ts'
import type { Rng } from '../../../base/rng.ts'
import { openRuntimeDir } from '../../../config/index.ts'
import { createHub, type HubComponents, type HubService, type OwnAttestation } from '../../../hub/index.ts'
import type { AnnouncementRecord } from '../../../journal/index.ts'
import type { Network } from '../../../network/index.ts'
import type { Trust } from '../../../trust/index.ts'
import type { NodeEvents } from '../../events.ts'
import type { NodeInit } from '../../types.ts'
import { type CodeLookupComponents, findCode } from '../code-lookup.ts'
import { descriptionOf } from './describe.ts'
import { openScanSandbox } from './sandbox.ts'
import { scannersOf } from './scanners.ts'

export interface NodeHubComponents extends CodeLookupComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Events<NodeEvents>
  network: Pick<Network, 'dial' | 'peerId' | 'dht'>
  texts: AddressTexts
  trust: Pick<Trust, 'statements' | 'publish'>
}

/** The hub of a node that is one. It runs when this resolves, and ends when it is disposed. */
export async function createNodeHub(
  components: NodeHubComponents,
  { hub: settings, configuration, identity }: Pick<NodeInit, 'hub' | 'configuration' | 'identity'>,
): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  if (settings === undefined) return parts.move()
  const { clock, rng, events, network } = components
  const log = components.log.child('hub')
  const signer = settings.signer ?? identity.signer
  // a folder of its own: paths of sockets are short, and the node adopts nothing that the hub left
  const runtimeDir = await openRuntimeDir(configuration.runtime, `${network.peerId.slice(-12)}-h`)
  parts.defer(() => rmdir(runtimeDir).catch(() => {}))
  const sandbox = await openScanSandbox(
    { clock, rng, log },
    {
      nodeId: `${network.peerId.slice(-16)}-hub`,
      runtimeDir,
      dir: join(configuration.dataDir, 'hub'),
      bubblewrap: configuration.policy.config.HOST.BUBBLEWRAP,
    },
  )
  const hub = parts.use(
    createHub(
      {
        clock,
        rng,
        log,
        events,
        services: servicesFor(components),
        obtain: (service, { signal }) =>
          findCode(components, service, { signal, limits: { maxBytes: settings.maxSize } }),
        sandbox,
        known: (code) => ownAttestation(components.trust, code, formatAddress(signer.address)),
        recall: (code, options) =>
          recall(components, log, attestationSubject(parseCid(code), addressBytes(signer.address)), options),
        publish: (statement, options) => components.trust.publish(statement, options),
      },
      {
        network: configuration.network,
        signer,
        scanners: scannersOf(settings),
        validSeconds: settings.validSeconds,
        report: settings.report,
        concurrency: settings.concurrency,
      },
    ),
  )
  hub.boot()
  return parts.move()
}

/** All live services, also those that this node's runner refuses. */
function servicesFor({ clock, events, journal, signed, texts }: NodeHubComponents): HubComponents['services'] {
  return {
    onNew: (listener) =>
      events.on('intake:received', ({ id }) => {
        const service = hubServiceOf(journal.announcements.get(id))
        if (service !== undefined) listener(service)
      }),
    *live() {
      const now = nowSeconds(clock)
      for (const record of journal.announcements.all()) {
        const service = record.state === 'live' && record.expires > now ? hubServiceOf(record) : undefined
        if (service !== undefined) yield service
      }
    },
    describe(id) {
      const service = signed.get(id)
      return service === undefined ? undefined : descriptionOf(service, texts)
    },
  }
}

function hubServiceOf(record: AnnouncementRecord | undefined): HubService | undefined {
  if (record?.code === undefined || record.kind !== 'service') return undefined
  const { id, name, code, expires } = record
  return { id, name, code, expires }
}

/** Takes up what the hub attested in the past and does not have any more. */
async function recall(
  { network, trust }: NodeHubComponents,
  log: Log,
  subject: string,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  try {
    for await (const value of network.dht.findValues(`/${subject}`, { signal })) {
      await trust.publish(value, { signal }).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error
      })
    }
  } catch (error) {
    signal.throwIfAborted()
    log.debug('the mesh was not asked for an earlier attestation', { subject, reason: messageOf(error) })
  }
}

function ownAttestation(trust: Pick<Trust, 'statements'>, code: string, signer: string): OwnAttestation | undefined {
  const attestations = trust.statements({ code, signer }).flatMap(({ kind, verdict, seq, expires }) => {
    return kind === 'attestation' && verdict !== undefined ? [{ verdict, seq, expires }] : []
  })
  return attestations.toSorted((a, b) => b.seq - a.seq)[0]
}
