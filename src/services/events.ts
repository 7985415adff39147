import type { ServiceState } from './types.ts'

/** What becomes of services, here and on other nodes. */
export type ServiceEvents = {
  /** The service's state changed, in the terms of a receipt. */
  'node:state': { id: string; name: string; state: ServiceState; detail?: string | undefined }
  /** Another node answered about a service that was published here. */
  'node:receipt': { id: string; node: string; state: string; redirected: boolean; reasons: readonly string[] }
}
