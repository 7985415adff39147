import { type RoundResult, runRound, type Setup } from './implementation.ts'
import { openThundercloud } from './nodes.ts'
import { openGossipsub } from './raw.ts'

/** The process of one implementation: it plays a round each time that it is asked to, and ends when its parent goes. */
export type Kind = 'raw' | 'thundercloud'
export type ToChild = { readonly services: number }
export type FromChild = { readonly ready: true } | { readonly result: RoundResult }

const IMPLEMENTATIONS = { raw: openGossipsub, thundercloud: openThundercloud }
/** Grafting takes a heartbeat or two. */
const SETTLE_MS = 3000

const [kind, setupText] = process.argv.slice(2) as [Kind, string]
const setup = JSON.parse(setupText) as Setup
await using implementation = await IMPLEMENTATIONS[kind](setup)
await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
process.on('message', ({ services }: ToChild) => {
  runRound(implementation, setup, services).then(
    (result) => process.send?.({ result } satisfies FromChild),
    (error) => over.reject(error),
  )
})
process.send?.({ ready: true } satisfies FromChild)
await over.promise
