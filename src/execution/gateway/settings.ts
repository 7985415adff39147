import type { EgressSpec } from './egress.ts'
import type { Lifetime } from './lifetime.ts'

/** What a gateway in a container is started with, as JSON. */
export type GatewaySettings = {
  /** the only ports of the run that are connected to */
  readonly ports: readonly number[]
  readonly lifetime: Lifetime
  /** folder of a build, whose disk is looked at */
  readonly build?: string | undefined
  /** it holds what a task leaves: the time limit, which is the task's, ends it no more once nothing of that runs */
  readonly keeps?: boolean | undefined
  readonly egress?: EgressSpec | undefined
}

export function parseSettings(text: string | undefined): GatewaySettings {
  return JSON.parse(text ?? '{"ports":[],"lifetime":{"graceMs":0}}')
}
