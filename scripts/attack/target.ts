import { servicesTopic } from '../../protocols/announcement.ts'

/** What an attacker is told. `count`: clients, sockets or peers; `ms`: for how long. */
export type Target = {
  readonly address: string
  /** code that the victim serves */
  readonly code: string
  readonly ms: number
  readonly count: number
}
export type Figures = Readonly<Record<string, number>>

export const MESHSUB = '/meshsub/1.2.0'
export const KAD = '/thundercloud/test/kad/1.0.0'
export const TOPIC = servicesTopic('test')

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Does it again and again until the time is over; what fails is tried again a moment later. */
export async function until(ms: number, work: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    try {
      await work()
    } catch {
      await pause(50)
    }
  }
}
