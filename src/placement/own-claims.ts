import type { Grant } from '../base/verdict.ts'

export type OwnClaim = {
  readonly grant: Grant
  /** The others were asked, and its run is wanted. */
  readonly stands: boolean
}

/** The claims of this node that are no runs yet. In memory: a node that begins again asks again. */
export interface OwnClaims {
  make(service: string, grant: Grant): void
  /** It may start. */
  confirm(service: string): void
  withdraw(service: string): boolean
  get(service: string): OwnClaim | undefined
  services(): string[]
  /** What they will hold: it is not given to others meanwhile. */
  held(): { service: string; grant: Grant }[]
}

export function createOwnClaims(): OwnClaims {
  const claims = new Map<string, OwnClaim>()
  return {
    make: (service, grant) => void claims.set(service, { grant, stands: false }),
    confirm(service) {
      const claim = claims.get(service)
      if (claim !== undefined) claims.set(service, { ...claim, stands: true })
    },
    withdraw: (service) => claims.delete(service),
    get: (service) => claims.get(service),
    services: () => [...claims.keys()],
    held: () => [...claims].map(([service, { grant }]) => ({ service, grant })),
  }
}
