import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

type Case = { op: string; expect?: Record<string, unknown>; error?: object }

const FOLDER = new URL('../../../protocols/vectors/', import.meta.url)
const cases = readdirSync(FOLDER).flatMap((name) => {
  return (JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { cases: Case[] }).cases
})
const of = (op: string) => cases.filter((one) => one.op === op)

it.each(['archive.tar', 'tunnel.session', 'archive.unzstd', 'stream.read', 'sync.page', 'json.read', 'claims.claim'])(
  '%s has cases that are taken and cases that are refused',
  (op) => {
    expect(of(op).some(({ error }) => error === undefined)).toBe(true)
    expect(of(op).some(({ error }) => error !== undefined)).toBe(true)
  },
)

it('chains of delegations that hold and that do not, and each answer of the gate', () => {
  const depths = of('delegation.chain').map((one) => one.expect?.depth)
  expect(depths.some((depth) => depth === null) && depths.some((depth) => depth !== null)).toBe(true)
  const answers = new Set(of('gate.answer').map((one) => one.expect?.answer))
  expect([...answers].toSorted()).toEqual(['accept', 'ignore', 'reject', 'wait'])
})

it('each statement has its id and the id of its message on the topic', () => {
  for (const one of of('statement.open').filter(({ error }) => error === undefined)) {
    expect(one.expect).toMatchObject({
      id: expect.stringMatching(/^bafy/),
      messageId: expect.stringMatching(/^[0-9a-f]{40}$/),
    })
  }
})
