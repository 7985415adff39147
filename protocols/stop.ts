import { z } from 'zod'
import { MAX_ANNOUNCEMENT_BYTES } from './limits.ts'
import { reachSchema } from './redirection.ts'
import { addressOf, decodeWith, encodeWith, seconds, wholeNumber } from './schema.ts'
import { checkLifetime, nameSchema } from './service.ts'

export const stopSchema = z
  .strictObject({
    v: z.literal(1),
    author: addressOf,
    name: nameSchema,
    seq: wholeNumber(0),
    stop: z.literal(true),
    issued: seconds,
    expires: seconds,
    reach: reachSchema,
  })
  .superRefine(checkLifetime)

/** The author ends (author, name): every service of it with this `seq` or a lower one. */
export type StopBody = z.output<typeof stopSchema>

export function encodeStop(body: StopBody): Uint8Array {
  return encodeWith(stopSchema, body, MAX_ANNOUNCEMENT_BYTES)
}

export function decodeStop(body: Uint8Array): StopBody {
  return decodeWith(stopSchema, body, MAX_ANNOUNCEMENT_BYTES)
}
