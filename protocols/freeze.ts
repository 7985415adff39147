import { z } from 'zod'
import { formatAddress, parseAddress } from './address.ts'
import { MAX_CHAIN_LENGTH, MAX_STATEMENT_BYTES } from './limits.ts'
import {
  addressOf,
  amount,
  checkStatementLifetime,
  decodeWith,
  encodeWith,
  seconds,
  text,
  wholeNumber,
} from './schema.ts'

export const freezeSchema = z
  .strictObject({
    v: z.literal(1),
    /** address bytes of the hub */
    hub: addressOf,
    /** address bytes of whose funds they are */
    address: addressOf,
    /** a host chain's name, or the address text of a symbiote */
    chain: text(MAX_CHAIN_LENGTH, 1).refine(
      isChain,
      "must be a host chain's name in lower case, or a symbiote's address in the spelling that this node writes",
    ),
    amount,
    issued: seconds,
    expires: seconds,
    /** scoped to (hub, address, chain) */
    seq: wholeNumber(0),
  })
  .superRefine(checkStatementLifetime)

/** Not the name of a host chain: those have no capital letter (and reading an address costs a millisecond). */
const ADDRESS = /[A-Z]|^(ed25519|legacy|bls12-381):|^0x[0-9a-f]{96}$/

/** A chain is part of what a statement is about: two spellings of one would be two chains. */
function isChain(chain: string): boolean {
  if (!ADDRESS.test(chain)) return true
  try {
    return formatAddress(parseAddress(chain)) === chain
  } catch {
    return false
  }
}

/** A hub's statement that an address has an amount frozen on a chain; "0" revokes an earlier one. */
export type FreezeBody = z.output<typeof freezeSchema>

export function encodeFreeze(body: FreezeBody): Uint8Array {
  return encodeWith(freezeSchema, body, MAX_STATEMENT_BYTES)
}

export function decodeFreeze(body: Uint8Array): FreezeBody {
  return decodeWith(freezeSchema, body, MAX_STATEMENT_BYTES)
}
