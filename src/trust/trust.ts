import { createLookups } from './lookups.ts'
import { createMaintenance } from './maintenance.ts'
import { assume } from './quorum/assumed.ts'
import { createAddressBytesCache } from './statements/address-cache.ts'
import { createStatementPublisher } from './statements/statement-publisher.ts'
import type { LocalTrust } from './trust-store.ts'
import type { Trust, TrustComponents } from './types.ts'

/** What is kept and what follows from it, in exchange with the mesh: asked for, published, renewed. */
export function createTrust(local: LocalTrust, { clock, rng, log, events, records, mesh }: TrustComponents): Trust {
  const { index, treeCache, signerPolicy, signatures, ingest, textOf } = local
  const policy = () => signerPolicy.current()
  const lookups = createLookups({ clock, log, events, records, treeCache, ingest, textOf }, { policy })
  const publisher = createStatementPublisher({
    clock,
    rng,
    log,
    index,
    signerPolicy,
    signatures,
    ingest,
    records,
    mesh,
  })
  const bytesOf = createAddressBytesCache()
  const maintenance = createMaintenance({
    clock,
    rng,
    log,
    index,
    treeCache,
    signerPolicy,
    lookups,
    publisher,
    bytesOf,
  })

  return {
    validateGossip: local.validateGossip,
    sync: local.sync,
    recordValidator: local.recordValidator,
    take: local.take,
    factsOf: local.factsOf,
    statements: local.statements,
    tree: local.tree,
    publish: async (encoded, options) => local.view(await publisher.publish(encoded, options)),
    assume: (encoded) => assume(encoded, { clock, ingest, check: publisher.check }),
    lookUp: (asked, options) => lookups.lookUp(asked, options),
    policyChanged() {
      ingest.reprocessOrphans()
      maintenance.lookUpAll()
    },
    boot: (servicesInUse) => maintenance.begin(servicesInUse),
    async [Symbol.asyncDispose]() {
      await Promise.all([lookups, publisher, maintenance].map((part) => part[Symbol.asyncDispose]()))
    },
  }
}
