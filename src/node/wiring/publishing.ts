import { type ConfiguredServices, createConfiguredServices } from '../../publishing/configured-services.ts'
import { createPublishedPins } from '../../publishing/published-pins.ts'
import { createPublisher, type Publisher } from '../../publishing/publisher.ts'
import { createServiceSigner, type ServiceSigner } from '../../publishing/service-signer.ts'
import type { AdmissionPipeline } from './admission.ts'
import type { NodeContext } from './context.ts'
import type { Execution } from './execution.ts'
import type { Mesh } from './mesh.ts'

export type Publishing = {
  readonly serviceSigner: ServiceSigner
  readonly publisher: Publisher
  readonly configuredServices: ConfiguredServices
}

/** What this node signs and announces itself. */
export function createPublishing(
  context: NodeContext,
  { network, code }: Mesh,
  { services, supervisor, drain, pause }: Pick<Execution, 'services' | 'supervisor' | 'drain' | 'pause'>,
  { facts, admission, intake }: AdmissionPipeline,
): Publishing {
  const { clock, rng, log, events, journal, signer, texts, configuration, closing, parts } = context
  const replyTo = () => network.multiaddrs().slice(0, 4)
  const serviceSigner = createServiceSigner(
    { clock, rng, log, journal, signer, code, replyTo },
    { network: context.networkName },
  )
  const pins = parts.use(createPublishedPins({ clock, events, code, journal }))
  const { decide } = admission
  const publisher = createPublisher({ clock, log, journal, intake, network, services, decide, pins }, { closing })
  const configuredServices = parts.use(
    createConfiguredServices(
      {
        clock,
        log,
        own: serviceSigner,
        facts,
        runs: supervisor,
        publisher,
        texts,
        stopped: (id) => journal.stops.has(id),
        drain,
        isPaused: () => pause.active,
      },
      { configuration, closing },
    ),
  )
  for (const name of ['node:undrained', 'node:resumed'] as const) {
    parts.use(events.on(name, () => void configuredServices.look()))
  }
  return { serviceSigner, publisher, configuredServices }
}
