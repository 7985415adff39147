/** Codes and services are base32 CIDs, names and findings safe to show, times whole seconds. */
export type HubEvents = {
  'hub:examining': { code: string; service: string; name: string }
  /** The hub signed an attestation of the code. */
  'hub:examined': {
    code: string
    service: string
    name: string
    verdict: 'safe' | 'unsafe'
    severity?: string | undefined
    /** what the scanners found; beside "safe": what they noted */
    findings: readonly string[]
    expires: number
    tookMs: number
  }
  /** It signed none, because something went wrong. `failures`: of this code, in a row. */
  'hub:failed': { code: string; service: string; name: string; reason: string; failures: number; again: boolean }
  /** It signed none, and will sign none while nothing changes. */
  'hub:passed-over': { code: string; service: string; name: string; why: string }
}
