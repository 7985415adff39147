import type { Readable } from 'node:stream'
import type { Mounter } from '../../warm/mounter.ts'
import type { WarmInstance } from '../../warm/types.ts'
import type { DockerHandle } from '../container-options.ts'
import type { WarmGateway } from './gateway.ts'
import type { WarmPipes } from './pipes.ts'

/** A container with a Node.js that waits for its program. */
export type IdleProgram = {
  readonly uid: number
  readonly cpuMillicores: number
  readonly pipes: WarmPipes
  readonly mounter: Mounter
  /** what it writes, from its first byte on; nothing while it waits */
  readonly output: Readable
  /** what it says next; rejects when it has ended */
  readonly answer: Promise<string>
}

/** A gateway's container that waits for one run, and where it is for a class a second one that lives in its namespaces. */
export type WarmContainer = WarmInstance & {
  /** what both are called while they are idle */
  readonly handle: DockerHandle
  readonly gateway: WarmGateway
  readonly program: IdleProgram | undefined
}
