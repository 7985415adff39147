import type { KeyCache, Signer } from '../../../protocols/signature.ts'
import type { AddressTexts } from '../../base/address-texts.ts'
import type { Clock } from '../../base/clock.ts'
import type { Events } from '../../base/events.ts'
import type { Log } from '../../base/log.ts'
import type { Rng } from '../../base/rng.ts'
import type { Configuration, Policy } from '../../config/index.ts'
import type { Journal } from '../../journal/index.ts'
import type { NodeEvents } from '../events.ts'
import type { Platform } from './platform.ts'

/** What the parts of a node share, and what is none of them. */
export interface NodeContext {
  readonly clock: Clock
  readonly rng: Rng
  readonly log: Log
  readonly platform: Platform
  readonly events: Events<NodeEvents>
  readonly journal: Journal
  readonly keys: KeyCache
  readonly texts: AddressTexts
  readonly signer: Signer
  /** the node's own address, as text */
  readonly own: string
  /** the network's name */
  readonly networkName: string
  configuration(): Configuration
  policy(): Policy
  /** This configuration is in force from here on. */
  enforce(configuration: Configuration): void
  /** Aborts when the node begins to stop, or its start fails. */
  readonly closing: AbortSignal
  /** What is put here ends with the node, newest first. */
  readonly parts: Pick<AsyncDisposableStack, 'use' | 'defer'>
}
