import type { Signer } from '../../protocols/signature.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Rng } from '../base/rng.ts'
import type { HubEvents } from './events.ts'
import type { ScanEnd, Scanner, ScanTask } from './scanner.ts'

/** A service as a hub sees it. Ids are base32 CIDs. */
export type HubService = {
  readonly id: string
  readonly name: string
  readonly code: string
  /** whole seconds, UTC */
  readonly expires: number
}

/** What scanners get to know of a service. */
export type Description = {
  /** its code is an image of a container engine */
  readonly image: boolean
  /** JSON */
  readonly manifest: unknown
}

/** This hub's attestation of a code, whether or not it is still in force. Seconds. */
export type OwnAttestation = {
  readonly verdict: 'safe' | 'unsafe'
  readonly seq: number
  readonly expires: number
}

/** Unpacked code, until it is let go of. */
export type HubCode = { readonly dir: string; release(): void }

export interface HubComponents {
  clock: Clock
  rng: Rng
  log: Log
  events: Emitter<HubEvents>
  services: {
    /** Calls back for each service that is received for the first time, whatever the node's runner decides. */
    onNew(listener: (service: HubService) => void): Disposable
    /** Every service that is alive now. */
    live(): Iterable<HubService>
    describe(id: string): Description | undefined
  }
  /** Brings the code of a service here. */
  obtain(service: HubService, options: { signal: AbortSignal }): Promise<HubCode>
  sandbox: {
    /** Runs one command on code, without network, to its end. Rejects where that could not be tried. */
    scan(task: ScanTask, options: { signal: AbortSignal }): Promise<ScanEnd>
  }
  /** The latest attestation of this hub on a code. */
  known(code: string): OwnAttestation | undefined
  /** Asks the mesh for an attestation of this hub that is not known here any more; `known` has it then. Whatever fails is nothing. */
  recall(code: string, options: { signal: AbortSignal }): Promise<void>
  /** Takes the hub's statement to the mesh. */
  publish(statement: Uint8Array, options: { signal: AbortSignal }): Promise<unknown>
}

export type HubInit = {
  readonly network: string
  /** who signs */
  readonly signer: Signer
  readonly scanners: readonly Scanner[]
  /** how long its attestation is valid, seconds */
  readonly validSeconds: number
  /** where people read why; `{code}` becomes the code's CID */
  readonly report?: string | undefined
  /** codes that are examined at once */
  readonly concurrency: number
}

/** What a hub has done since it started. */
export type HubCounts = {
  readonly safe: number
  readonly unsafe: number
  readonly failed: number
  readonly skipped: number
  /** codes that are being examined, or wait for it */
  readonly waiting: number
}

/** Scans the code of every service that the node receives, and signs the result. */
export interface Hub extends AsyncDisposable {
  /** Starts: first what is known already, then what is received. */
  boot(): void
  counts(): HubCounts
  /** Resolves when nothing waits and nothing is examined; what failed and is to be tried again does not count. */
  idle(): Promise<void>
}
