import type { ClientAccessReader } from '../../config/index.ts'
import { type EgressPolicy, namedHost } from '../../egress/index.ts'
import type { FetchJob } from './child/job.ts'

/** A way to a source, and what a job for it takes from the package index's own client. */
export type ClientWay = {
  readonly policy: EgressPolicy
  readonly settings: Partial<Pick<FetchJob, 'authorities' | 'authorization' | 'checksumDatabase'>>
}

/**
 * Reads what the package manager of this machine is configured to use at this address. Credentials are for services of the
 * node's own address: a stranger's never reads private packages. A checksum database may be asked, too.
 */
export async function clientWay(
  { policy, baseUrl }: { readonly policy: EgressPolicy; readonly baseUrl?: string | undefined },
  source: FetchJob['source'],
  clientAccess: ClientAccessReader | undefined,
  { own, privateAllowed }: { readonly own: boolean; readonly privateAllowed: boolean },
): Promise<ClientWay> {
  if (source.type !== 'registry' || baseUrl === undefined || clientAccess === undefined) return { policy, settings: {} }
  const { kind, name } = source
  const { authorization, ...settings } = await clientAccess.read(kind, name, baseUrl)
  const database = settings.checksumDatabase
  return {
    policy:
      database === undefined
        ? policy
        : { ...policy, hosts: [...policy.hosts, namedHost(database.url, { privateAllowed })] },
    settings: { ...settings, ...(own && { authorization }) },
  }
}
