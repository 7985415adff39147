import { addressBytes, parseAddress } from '../../protocols/address.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { nowSeconds } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import { createChangeNotifier } from './change-notifier.ts'
import { createGossipValidator } from './gossip/gossip-validator.ts'
import { createLookups } from './lookups.ts'
import { createMaintenance } from './maintenance.ts'
import { createPolicyParser } from './policy.ts'
import { assume } from './quorum/assumed.ts'
import { createFactsOf } from './quorum/facts.ts'
import { type IndexedStatement, keyOf } from './statements/indexed-statement.ts'
import { createIngest } from './statements/ingest.ts'
import { createRecordValidator } from './statements/record-validator.ts'
import { createSignatureCache } from './statements/signature-cache.ts'
import { createSignerPolicy } from './statements/signer-policy.ts'
import { createStatementIndex } from './statements/statement-index.ts'
import { createStatementPublisher } from './statements/statement-publisher.ts'
import { createSyncSource } from './statements/sync-source.ts'
import { createAddressBytes, createAddressTexts } from './statements/texts.ts'
import { viewOf } from './statements/view.ts'
import { createTreeCache } from './tree/tree-cache.ts'
import { renderTree } from './tree/tree-view.ts'
import type { Trust, TrustComponents, TrustInit } from './types.ts'

/** Statements that are shown at once: about 2 MB of JSON, and a tenth of a second. */
const MAX_SHOWN = 4096

export function createTrust(components: TrustComponents, init: TrustInit): Trust {
  const { clock } = components
  const textOf = createAddressTexts()
  const ownBytes = addressBytes(init.own)
  const read = createPolicyParser(components, { ...init, ownText: textOf(ownBytes) })
  const policy = () => read(init.policy())
  const index = createStatementIndex(components)
  const treeCache = createTreeCache({ index })
  const signerPolicy = createSignerPolicy({ clock, treeCache }, { policy })
  const signatures = createSignatureCache(components, init)
  const notifier = createChangeNotifier(components)
  const ingest = createIngest({ ...components, index, signerPolicy, signatures, notifier, textOf })
  const lookups = createLookups({ ...components, treeCache, ingest, textOf }, { policy })
  const publisher = createStatementPublisher({ ...components, index, signerPolicy, signatures, ingest })
  const maintenance = createMaintenance({
    ...components,
    index,
    treeCache,
    signerPolicy,
    lookups,
    publisher,
    bytesOf: createAddressBytes(),
  })
  const validateGossip = createGossipValidator({ ...components, ingest })
  const factsOf = createFactsOf(
    { clock, index, treeCache, ingest, signatures, notifier, textOf },
    { policy: init.policy, read },
  )
  const view = (entry: IndexedStatement) => viewOf(entry, signerPolicy.isTrusted(entry.statement), textOf)

  return {
    validateGossip,
    sync: createSyncSource({ clock, index, signerPolicy, ingest }),
    recordValidator: createRecordValidator({ clock, index, signerPolicy, signatures }),
    take: (encoded, origin) => ingest.take(encoded, origin),
    publish: async (encoded, options) => view(await publisher.publish(encoded, options)),
    factsOf,
    assume: (encoded) => assume(encoded, { clock, ingest, check: publisher.check }),
    lookUp: (asked, options) => lookups.lookUp(asked, options),
    statements(filter = {}) {
      return candidates(filter)
        .map(view)
        .filter(({ code }) => filter.code === undefined || code === filter.code)
        .filter(({ signer }) => filter.signer === undefined || signer === filter.signer)
        .filter((one) => filter.address === undefined || [one.address, one.subject].includes(filter.address))
        .sort((a, b) => b.receivedAt - a.receivedAt || (a.id < b.id ? -1 : 1))
    },
    tree(address) {
      const at = nowSeconds(clock)
      const all = { policy: policy(), tree: treeCache.of(policy(), at), byIssuer: index.links().byIssuer, at, textOf }
      const tree = { ...all, own: keyOf(ownBytes) }
      return address === undefined ? renderTree(tree) : renderTree(tree, askedAbout(address))
    },
    policyChanged() {
      ingest.reprocessOrphans()
      maintenance.lookUpAll()
    },
    boot: () => maintenance.begin(),
    async [Symbol.asyncDispose]() {
      notifier[Symbol.dispose]()
      await Promise.all([lookups, publisher, maintenance].map((part) => part[Symbol.asyncDispose]()))
    },
  }

  /** What an index finds of a filter. */
  function candidates({ code, address, signer }: NonNullable<Parameters<Trust['statements']>[0]>): IndexedStatement[] {
    if (code !== undefined) return [...index.attestationsOf(code)]
    if (address !== undefined) {
      const { key, bytes } = askedAbout(address)
      const links = [...index.links().byIssuer.values()].flat().filter(({ subject }) => subject === key)
      return [...index.freezesOf(bytes), ...links.map(({ entry }) => entry)]
    }
    return index.latest(MAX_SHOWN, signer === undefined ? undefined : askedAbout(signer).bytes)
  }

  function askedAbout(address: string): { key: string; bytes: Uint8Array; text: string } {
    try {
      const bytes = addressBytes(parseAddress(address))
      return { key: keyOf(bytes), bytes, text: textOf(bytes) }
    } catch (error) {
      if (error instanceof ProtocolError) throw new InputError(error.message, { cause: error })
      throw error
    }
  }
}
