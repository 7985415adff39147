import { addressBytes, decodeAddress } from '../../../protocols/address.ts'
import { messageId, timeWindowError } from '../../../protocols/announcement.ts'
import { combineSignatures, type HubMembers, pinMembers } from '../../../protocols/multisig.ts'
import { createKeyCache } from '../../../protocols/signature.ts'
import {
  decodeStatement,
  encodeStatement,
  recordKey,
  replaces,
  statementId,
  statementSubject,
  statementsTopic,
  verifyStatement,
} from '../../../protocols/statement.ts'
import type { Op } from '../kit/kit.ts'
import { dagJson, hex, type Json, unhex } from '../kit/kit.ts'

type Parts = { [key: string]: Json }

export const statementOps: Record<string, Op> = {
  'statement.open': ({ network, bytes, now, pinned }) => {
    const statement = decodeStatement(unhex(bytes))
    const members = pinned === undefined ? undefined : pin(pinned, String(network))
    verifyStatement(statement, String(network), createKeyCache(), members)
    if (hex(encodeStatement(statement)) !== bytes) throw new TypeError('accepted bytes that it would write differently')
    return {
      kind: statement.kind,
      value: dagJson(statement.body),
      clock: timeWindowError(statement.body, Number(now)) ?? 'in time',
      id: statementId(unhex(bytes)).toString(),
      messageId: hex(messageId(statementsTopic(String(network)), unhex(bytes))),
      subject: statementSubject(statement),
      record: recordKey(statement) ?? null,
    }
  },
  'statement.replaces': ({ a, b }) => {
    const [first, second] = [decodeStatement(unhex(a)), decodeStatement(unhex(b))]
    if (replaces(first, second) && replaces(second, first)) throw new TypeError('both replace the other')
    return { replaces: replaces(first, second) }
  },
  'members.pin': ({ network, pinned }) => {
    return { members: pin(pinned, String(network)).members.map((member) => hex(addressBytes(member))) }
  },
  'members.combine': ({ network, kind, body, pinned, parts }) => {
    const signatures = (parts as Parts[]).map(({ member, sig }) => ({
      member: decodeAddress(unhex(member)),
      sig: unhex(sig),
    }))
    const signed = { network: String(network), kind: String(kind), bytes: unhex(body) }
    const { sig, signers } = combineSignatures(pin(pinned, String(network)), signatures, signed, createKeyCache())
    return { sig: hex(sig), signers: signers === undefined ? null : hex(signers) }
  },
}

function pin(pinned: Json | undefined, network: string): HubMembers {
  const { hub, members, threshold } = pinned as { hub: Json; members: Parts[]; threshold: Json }
  const claims = members.map(({ address, proof }) => ({ address: decodeAddress(unhex(address)), proof: unhex(proof) }))
  return pinMembers(
    { hub: decodeAddress(unhex(hub)), members: claims, threshold: Number(threshold) },
    network,
    createKeyCache(),
  )
}
