import { playRound, type RoundResult, type Setup } from './implementation.ts'
import { openNodesSide } from './nodes.ts'
import { openRawSide } from './raw.ts'

/** The process of one side: it plays a round each time that it is asked to, and ends when its parent goes. */
export type Kind = 'raw' | 'thundercloud'
export type ToSide = { readonly services: number }
export type FromSide = { readonly ready: true } | { readonly result: RoundResult }

const SIDES = { raw: openRawSide, thundercloud: openNodesSide }
/** Grafting takes a heartbeat or two. */
const SETTLE_MS = 3000

const [kind, setupText] = process.argv.slice(2) as [Kind, string]
const setup = JSON.parse(setupText) as Setup
await using side = await SIDES[kind](setup)
await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
const over = Promise.withResolvers<void>()
process.on('disconnect', over.resolve)
process.on('message', ({ services }: ToSide) => {
  playRound(side, setup, services).then(
    (result) => process.send?.({ result } satisfies FromSide),
    (error) => over.reject(error),
  )
})
process.send?.({ ready: true } satisfies FromSide)
await over.promise
