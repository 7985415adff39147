import { addressBytes, parseAddress } from '../../protocols/address.ts'
import { nowSeconds } from '../base/clock.ts'
import { decodeInput } from '../base/decode-input.ts'
import { keyOf } from '../base/lru-map.ts'
import { createChangeNotifier } from './change-notifier.ts'
import { createGossipValidator } from './gossip/gossip-validator.ts'
import { createPolicyParser } from './policy.ts'
import { createFactsOf } from './quorum/facts.ts'
import { createAddressTextCache, type TextOf } from './statements/address-cache.ts'
import type { IndexedStatement } from './statements/indexed-statement.ts'
import { createIngest, type Ingest } from './statements/ingest.ts'
import { createRecordValidator } from './statements/record-validator.ts'
import { createSignatureCache, type SignatureCache } from './statements/signature-cache.ts'
import { createSignerPolicy, type SignerPolicy } from './statements/signer-policy.ts'
import { createStatementIndex, type StatementIndex } from './statements/statement-index.ts'
import { createSyncSource } from './statements/sync-source.ts'
import { viewOf } from './statements/view.ts'
import { createTreeCache, type TreeCache } from './tree/tree-cache.ts'
import { renderTree } from './tree/tree-view.ts'
import type { StatementView, Trust, TrustInit, TrustStore, TrustStoreComponents } from './types.ts'

/** Statements that are shown at once: about 2 MB of JSON, and a tenth of a second. */
const MAX_SHOWN = 4096

/** What the exchange with the mesh builds on. */
export interface LocalTrust extends TrustStore {
  readonly index: StatementIndex
  readonly treeCache: TreeCache
  readonly signerPolicy: SignerPolicy
  readonly signatures: SignatureCache
  readonly ingest: Ingest
  readonly textOf: TextOf
  view(entry: IndexedStatement): StatementView
}

export function createTrustStore(components: TrustStoreComponents, init: TrustInit): LocalTrust {
  const { clock, log, events, keys, statements, hasLiveCode } = components
  const textOf = createAddressTextCache()
  const ownBytes = addressBytes(init.own)
  const { network, own } = init
  const read = createPolicyParser({ keys, log }, { network, own, ownText: textOf(ownBytes) })
  const policy = () => read(init.policy())
  const index = createStatementIndex({ store: statements })
  const treeCache = createTreeCache({ index })
  const signerPolicy = createSignerPolicy({ clock, treeCache }, { policy })
  const signatures = createSignatureCache({ keys }, { network })
  const notifier = createChangeNotifier({ clock, events })
  const ingest = createIngest({ clock, log, events, index, signerPolicy, signatures, notifier, textOf })
  const view = (entry: IndexedStatement) => viewOf(entry, signerPolicy.isTrusted(entry.statement), textOf)

  return {
    index,
    treeCache,
    signerPolicy,
    signatures,
    ingest,
    textOf,
    view,
    validateGossip: createGossipValidator({ clock, events, ingest, hasLiveCode }),
    sync: createSyncSource({ clock, index, signerPolicy, ingest }),
    recordValidator: createRecordValidator({ clock, index, signerPolicy, signatures }),
    take: (encoded, origin) => ingest.take(encoded, origin),
    factsOf: createFactsOf(
      { clock, index, treeCache, ingest, signatures, notifier, textOf },
      { policy: init.policy, read },
    ),
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
    [Symbol.dispose]: () => notifier[Symbol.dispose](),
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
    const bytes = addressBytes(decodeInput(() => parseAddress(address)))
    return { key: keyOf(bytes), bytes, text: textOf(bytes) }
  }
}
