import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as limits from '../../../protocols/limits.ts'
import { RECEIPT_STATES } from '../../../protocols/receipt.ts'

type Case = { op: string; error?: { reason: string; also?: string[] } }

const FOLDER = new URL('../../../protocols/', import.meta.url)
const readme = readFileSync(new URL('README.md', FOLDER), 'utf8')
const vectors = readdirSync(new URL('vectors/', FOLDER)).map((name) =>
  readFileSync(new URL(`vectors/${name}`, FOLDER), 'utf8'),
)

it('every example of the specification is a vector', () => {
  const examples = readme.match(/\b([0-9a-f]{40,}|bafy[a-z2-7]{55}|(legacy:)?[1-9A-HJ-NP-Za-km-z]{44,60})\b/g) ?? []
  expect(examples.length).toBeGreaterThan(20)
  expect(examples.filter((example) => !vectors.some((file) => file.includes(example)))).toEqual([])
})

it('the table of limits is the code', () => {
  const table = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\|$/gm)].map(([, name, value]) => [name, Number(value)])
  expect(Object.fromEntries(table)).toEqual({ ...limits })
})

it('every operation of the vectors is explained, and every state of a receipt', () => {
  const ops = new Set(
    vectors.flatMap((file) => (JSON.parse(file) as { cases: { op: string }[] }).cases.map(({ op }) => op)),
  )
  const explained = (op: string) => readme.includes(`\`${op}\``) || readme.includes(`\`${op.split('.')[0]}.*\``)
  expect([...ops].filter((op) => !explained(op))).toEqual([])
  expect(RECEIPT_STATES.filter((state) => !readme.includes(`\`${state}\``))).toEqual([])
})

it('the table of classes is what the vectors are refused for', () => {
  const rows = readme.slice(readme.indexOf('| op | classes |')).matchAll(/^\| (`.*) \| (.*) \|$/gm)
  const words = (text: string | undefined) => [...(text ?? '').matchAll(/`([a-z.-]+)`/g)].map(([, word]) => word ?? '')
  const table = new Map<string, string>()
  for (const [, ops, classes] of rows) {
    const may = words(classes).filter((word) => !word.includes('.'))
    for (const op of words(ops)) table.set(op, [...new Set(may)].toSorted().join(' '))
  }
  const met = new Map<string, Set<string>>()
  for (const { op, error } of vectors.flatMap((file) => (JSON.parse(file) as { cases: Case[] }).cases)) {
    const classes = met.get(op) ?? new Set()
    met.set(op, classes)
    for (const one of error === undefined ? [] : [error.reason, ...(error.also ?? [])]) classes.add(one)
  }
  expect(Object.fromEntries([...met].map(([op, classes]) => [op, [...classes].toSorted().join(' ')]))).toEqual(
    Object.fromEntries(table),
  )
})
