import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { createAddressTexts } from '../../base/address-texts.ts'
import { messageOf } from '../../base/errors.ts'
import { createEvents } from '../../base/events.ts'
import type { NodeEvents } from '../events.ts'
import type { NodeComponents, NodeInit } from '../types.ts'
import type { NodeContext } from './context.ts'
import { systemPlatform } from './platform.ts'

/** Locks the data folder and opens the journal in it: with these the context is complete. */
export async function openStorage(
  { clock, rng, log, keys = createKeyCache(), platform: replaced }: NodeComponents,
  init: Pick<NodeInit, 'configuration' | 'identity'>,
  { parts, closing }: Pick<NodeContext, 'parts' | 'closing'>,
): Promise<NodeContext> {
  let { configuration } = init
  const { dataDir, network } = configuration
  const { signer } = init.identity
  const platform = { ...systemPlatform({ clock, rng }, { dataDir }), ...replaced }
  parts.use(await platform.openFolder(dataDir))
  return {
    clock,
    rng,
    log,
    platform,
    events: createEvents<NodeEvents>((error) => log.error('a listener failed', { reason: messageOf(error) })),
    journal: parts.use(
      platform.openJournal({ path: join(dataDir, 'journal.sqlite'), clock, log: log.child('journal') }),
    ),
    keys,
    texts: createAddressTexts(),
    signer,
    own: formatAddress(signer.address),
    networkName: network,
    configuration: () => configuration,
    policy: () => configuration.policy,
    enforce(next) {
      configuration = next
    },
    closing,
    parts,
  }
}
