import { createPrivateKey } from 'node:crypto'
import { SecretKey } from '@chainsafe/blst'
import { fromDagJson, sha256, toDagJson } from '../../../protocols/encoding.ts'
import { blsSigner, ed25519Signer, type Signer } from '../../../protocols/signature.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** What an implementation is given. `op` says what to do with it; protocols/vectors/README.md lists them. */
export type Input = { name: string; op: string; [input: string]: Json }
/** The class of a refusal, and the field that it names; `also` lists the other classes that hold. */
export type Refusal = { reason: string; field: string; also?: string[] }
/** A case as its author writes it: only refusals say what they expect, the rest is computed and then frozen in the file. */
export type Draft = Input & { error?: Refusal }
export type VectorFile = { about: string; cases: Draft[] }

export const NETWORK = 'vectors'
/** 2026-01-01T00:00:00Z */
export const ISSUED = 1_767_225_600
export const EXPIRES = ISSUED + 7 * 24 * 3600

/** 32 bytes that only the name decides. */
export function secretOf(name: string): Uint8Array {
  return sha256(new TextEncoder().encode(`thundercloud vectors: ${name}`))
}

/** A fixed key pair for each name. */
export function signerOf(name: string): Signer {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secretOf(name)])
  return ed25519Signer(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
}

export function blsSecretOf(name: string): Uint8Array {
  return SecretKey.fromKeygen(secretOf(name)).toBytes()
}

export function blsSignerOf(name: string): Signer {
  return blsSigner(blsSecretOf(name))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function unhex(text: Json | undefined): Uint8Array {
  if (typeof text !== 'string' || !/^([0-9a-f]{2})*$/.test(text)) throw new TypeError('a vector wants lower-case hex')
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

/** A message as DAG-JSON, ready to be embedded in a vector file. */
export function dagJson(value: unknown): Json {
  return JSON.parse(toDagJson(value))
}

export function fromVector(value: Json | undefined): unknown {
  return fromDagJson(JSON.stringify(value))
}

/** A break where the message should begin. */
export function noCbor(op: string): Draft {
  return { name: `${op}: no dag-cbor`, op, bytes: 'ff', ...refuses('encoding') }
}

export function refuses(reason: string, field = '', ...also: string[]): { error: Refusal } {
  return { error: { reason, field, ...(also.length === 0 ? {} : { also }) } }
}

/** What an operation makes of a case: the values that every implementation must come to. Throws where it refuses. */
export type Op = (input: Input) => { [output: string]: Json }
