import { addressBytes, parseAddress } from '../../protocols/address.ts'
import { ProtocolError } from '../../protocols/errors.ts'
import { nowSeconds } from '../base/clock.ts'
import { InputError } from '../base/errors.ts'
import { createChanges } from './change-notifier.ts'
import { createGate } from './gossip/gossip-validator.ts'
import { createLookups } from './lookups.ts'
import { createUpkeep } from './maintenance.ts'
import { createPolicies } from './policy.ts'
import { assume } from './quorum/assumed.ts'
import { createFactsOf } from './quorum/facts.ts'
import { type Entry, keyOf } from './statements/indexed-statement.ts'
import { createTaking } from './statements/ingest.ts'
import { createRules } from './statements/record-validator.ts'
import { createSeals } from './statements/signature-cache.ts'
import { createCounting } from './statements/signer-policy.ts'
import { createBook } from './statements/statement-index.ts'
import { createTelling } from './statements/statement-publisher.ts'
import { createSyncSource } from './statements/sync-source.ts'
import { createBytes, createTexts } from './statements/texts.ts'
import { viewOf } from './statements/view.ts'
import { createCanopy } from './tree/tree-cache.ts'
import { drawTree } from './tree/tree-view.ts'
import type { Trust, TrustComponents, TrustInit } from './types.ts'

/** Statements that are shown at once: about 2 MB of JSON, and a tenth of a second. */
const MAX_SHOWN = 4096

export function createTrust(components: TrustComponents, init: TrustInit): Trust {
  const { clock } = components
  const textOf = createTexts()
  const ownBytes = addressBytes(init.own)
  const read = createPolicies(components, { ...init, ownText: textOf(ownBytes) })
  const policy = () => read(init.policy())
  const book = createBook(components)
  const canopy = createCanopy({ book })
  const counting = createCounting({ clock, canopy }, { policy })
  const seals = createSeals(components, init)
  const changes = createChanges(components)
  const taking = createTaking({ ...components, book, counting, seals, changes, textOf })
  const lookups = createLookups({ ...components, canopy, taking, textOf }, { policy })
  const telling = createTelling({ ...components, book, counting, seals, taking })
  const upkeep = createUpkeep({ ...components, book, canopy, counting, lookups, telling, bytesOf: createBytes() })
  const gate = createGate({ ...components, taking })
  const factsOf = createFactsOf({ clock, book, canopy, taking, seals, changes, textOf }, { policy: init.policy, read })
  const view = (entry: Entry) => viewOf(entry, counting.statement(entry.statement), textOf)

  return {
    gate,
    sync: createSyncSource({ clock, book, counting, taking }),
    rules: createRules({ clock, book, counting, seals }),
    take: (encoded, origin) => taking.take(encoded, origin),
    publish: async (encoded, options) => view(await telling.publish(encoded, options)),
    factsOf,
    assume: (encoded) => assume(encoded, { clock, taking, check: telling.check }),
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
      const all = { policy: policy(), tree: canopy.of(policy(), at), byIssuer: book.links().byIssuer, at, textOf }
      const tree = { ...all, own: keyOf(ownBytes) }
      return address === undefined ? drawTree(tree) : drawTree(tree, askedAbout(address))
    },
    policyChanged() {
      taking.weighAnew()
      upkeep.lookUpAll()
    },
    boot: () => upkeep.begin(),
    async [Symbol.asyncDispose]() {
      changes[Symbol.dispose]()
      await Promise.all([lookups, telling, upkeep].map((part) => part[Symbol.asyncDispose]()))
    },
  }

  /** What an index finds of a filter. */
  function candidates({ code, address, signer }: NonNullable<Parameters<Trust['statements']>[0]>): Entry[] {
    if (code !== undefined) return [...book.attestationsOf(code)]
    if (address !== undefined) {
      const { key, bytes } = askedAbout(address)
      const links = [...book.links().byIssuer.values()].flat().filter(({ subject }) => subject === key)
      return [...book.freezesOf(bytes), ...links.map(({ entry }) => entry)]
    }
    return book.newest(MAX_SHOWN, signer === undefined ? undefined : askedAbout(signer).bytes)
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
