import type { ClientAccessReader, ClientKind } from '../../config/index.ts'
import { type EgressPolicy, namedHost } from '../../egress/index.ts'
import type { FetchJob } from './child/job.ts'

/** A way to a source, and what a job for it takes from the client of the package index or registry. */
export type ClientWay = {
  readonly policy: EgressPolicy
  readonly settings: Partial<Pick<FetchJob, 'authorities' | 'authorization' | 'checksumDatabase'>>
}

/**
 * Reads what the package manager of this machine, or Docker's client, is configured to use at this address. Credentials are for
 * services of the node's own address: a stranger's never reads private packages. A checksum database may be asked, too.
 */
export async function clientWay(
  { policy, baseUrl }: { readonly policy: EgressPolicy; readonly baseUrl?: string | undefined },
  source: FetchJob['source'],
  clientAccess: ClientAccessReader | undefined,
  { own, privateAllowed }: { readonly own: boolean; readonly privateAllowed: boolean },
): Promise<ClientWay> {
  const client = clientOf(source)
  if (client === undefined || baseUrl === undefined || clientAccess === undefined) return { policy, settings: {} }
  const { authorization, ...settings } = await clientAccess.read(...client, baseUrl)
  const database = settings.checksumDatabase
  return {
    policy:
      database === undefined
        ? policy
        : { ...policy, hosts: [...policy.hosts, namedHost(database.url, { privateAllowed })] },
    settings: { ...settings, ...(own && { authorization }) },
  }
}

/** Whose settings count, and the name of the package or image there. */
function clientOf(source: FetchJob['source']): readonly [kind: ClientKind, name: string] | undefined {
  if (source.type === 'oci') return ['docker', source.ref]
  return source.type === 'registry' ? [source.kind, source.name] : undefined
}
