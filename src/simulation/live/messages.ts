import type { Publication } from '../plan/timeline.ts'
import type { Scenario } from '../scenario/scenario.ts'
import type { NodeTraffic } from '../whole/gossip-tap.ts'
import type { Resumed } from '../whole/translate.ts'

/** What a process is told first: one JSON object in its first line, as is all that follows. */
export type Setup =
  | { readonly role: 'nodes'; readonly scenario: Scenario; readonly dir: string }
  | { readonly role: 'relay'; readonly scenario: Scenario }

/** What a process with nodes is asked to do. `node` is a number of the scenario. */
export type NodeOrder =
  | { readonly do: 'start'; readonly node: number; readonly listen: string; readonly neighbours: readonly string[] }
  | {
      readonly do: 'publish'
      readonly node: number
      readonly service: number
      readonly name: string
      readonly of: Publication
    }
  | { readonly do: 'stop'; readonly node: number; readonly id: string }
  | {
      readonly do: 'attest'
      readonly node: number
      readonly code: string
      readonly verdict: 'safe' | 'unsafe'
      readonly seq: number
    }
  | { readonly do: 'leave'; readonly node: number }
  | { readonly do: 'peers'; readonly node: number }
  | { readonly do: 'usage' }

/** What the relay is asked to do. */
export type RelayOrder =
  /** Answers a port for each pair: what the first says there reaches the second. */
  | { readonly do: 'open'; readonly pairs: readonly (readonly [number, number])[] }
  | { readonly do: 'target'; readonly node: number; readonly port: number }
  | { readonly do: 'cut'; readonly nodes: readonly number[] }
  | { readonly do: 'heal'; readonly nodes: readonly number[] }
  | { readonly do: 'usage' }

/** `at`: the monotonic time of the machine, which is the same in all its processes. */
export type Line =
  | { readonly answer: number; readonly value?: unknown; readonly error?: string }
  | { readonly event: readonly [at: number, node: number, name: string, detail: unknown] }
  | { readonly published: readonly [at: number, node: number, service: number, code: string] }
  /** A node is up again. */
  | { readonly up: readonly [at: number, node: number, services: readonly Resumed[]] }
  /** Nothing of before this comes any more. */
  | { readonly mark: number }

/** What a process has used since it began. */
export type Usage = {
  readonly cpuSeconds: number
  readonly peakMemoryBytes: number
  /** of its nodes */
  readonly traffic?: readonly (readonly [node: number, of: NodeTraffic])[] | undefined
}
