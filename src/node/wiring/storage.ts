import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAddress } from '../../../protocols/address.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import { createAddressTexts } from '../../base/address-texts.ts'
import { messageOf } from '../../base/errors.ts'
import { createEvents } from '../../base/events.ts'
import { lockFolder } from '../../base/os/pid-lock.ts'
import { openJournal } from '../../journal/index.ts'
import type { NodeEvents } from '../events.ts'
import type { NodeComponents, NodeInit } from '../types.ts'
import type { NodeContext } from './context.ts'

/** Locks the data folder and opens the journal in it: with these the context is complete. */
export async function openStorage(
  { clock, rng, log, keys = createKeyCache() }: NodeComponents,
  init: Pick<NodeInit, 'configuration' | 'identity'>,
  { parts, closing }: Pick<NodeContext, 'parts' | 'closing'>,
): Promise<NodeContext> {
  let { configuration } = init
  const { dataDir, network } = configuration
  const { signer } = init.identity
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  parts.use(await lockFolder(dataDir))
  return {
    clock,
    rng,
    log,
    events: createEvents<NodeEvents>((error) => log.error('a listener failed', { reason: messageOf(error) })),
    journal: parts.use(openJournal({ path: join(dataDir, 'journal.sqlite'), clock, log: log.child('journal') })),
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
