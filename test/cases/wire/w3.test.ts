import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

type Case = { name: string; op: string; error?: { reason: string; also?: string[] } }

const FOLDER = new URL('../../../protocols/vectors/', import.meta.url)
const cases = readdirSync(FOLDER).flatMap((name) => {
  return (JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { cases: Case[] }).cases
})
const also = (op: string) =>
  cases.filter((one) => one.op === op && one.error !== undefined).map(({ error }) => error?.also)

it('where two classes hold, the vector lists them', () => {
  expect(also('address.decode')).toEqual(Array(6).fill(['shape']))
  expect(also('members.pin').every((classes) => classes?.includes('members'))).toBe(true)
  const names = cases.filter(({ op, name, error }) => op === 'signature.verify' && name.startsWith('network:') && error)
  expect(names.map(({ error }) => error?.also)).toEqual(Array(9).fill(['signature']))
})
