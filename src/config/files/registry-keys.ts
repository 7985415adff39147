import { z } from 'zod'
import { REGISTRY_KINDS } from '../../../protocols/registries.ts'
import { closestMatch, joinWords } from '../../base/format.ts'
import { record, sentence } from '../zod-fields.ts'
import { registryOf } from './registries.ts'
import { canonicalToolchain, findToolchain } from './toolchains.ts'

/** The keys of REGISTRIES: one for each package index, and DOCKER. */
export const REGISTRY_KEYS: readonly string[] = [...REGISTRY_KINDS.map((kind) => registryOf(kind).key), 'DOCKER']

/** Names of tools, that people write for the toolchain. */
const TOOLS: Readonly<Record<string, string>> = {
  pnpm: 'NODE.JS',
  yarn: 'NODE.JS',
  pip: 'PYTHON',
  crates: 'RUST',
  rubygems: 'RUBY',
  bundler: 'RUBY',
  packagist: 'PHP',
  dotnet: 'C#',
  cabal: 'HASKELL',
  maven: 'SCALA',
  sbt: 'SCALA',
  oci: 'DOCKER',
}

const keyOfName = new Map<string, string>([
  ...REGISTRY_KINDS.map(registryOf).flatMap(({ kind, names, key }) =>
    [kind, ...names].map((name) => [name, key] as const),
  ),
  ...Object.entries(TOOLS),
])

/** A shorter word is near to any short key. */
const MIN_MISSPELLED = 4
const MAX_MISSPELLED = 64

/** An object from toolchain to `value`. NODE.JS, node and nodejs are one key; keys come out as REGISTRY_KEYS writes them. */
export function registryMap<T extends z.ZodType>(value: T, allowed: string) {
  return record(z.string().meta({ pattern: keyPattern() }), value, REGISTRY_KEYS.length, allowed).transform(
    (registries, context) => {
      const canonical: Record<string, z.output<T>> = {}
      for (const [name, mirrors] of Object.entries(registries) as [string, z.output<T>][]) {
        const key = canonicalToolchain(name).toUpperCase()
        if (!REGISTRY_KEYS.includes(key)) {
          context.addIssue({ code: 'unrecognized_keys', keys: [name], message: advice(name), input: registries })
        } else if (Object.hasOwn(canonical, key)) {
          sentence(context, [name], `is another name for ${key}, which is listed too; keep one of them`)
        }
        canonical[key] = mirrors
      }
      return canonical
    },
  )
}

function advice(name: string): string {
  const misspelled = name.length >= MIN_MISSPELLED && name.length <= MAX_MISSPELLED
  const meant = keyOfName.get(name.toLowerCase()) ?? (misspelled ? closestMatch(name, REGISTRY_KEYS) : undefined)
  return meant === undefined ? `known keys are ${joinWords(REGISTRY_KEYS)}` : `did you mean ${meant}?`
}

/** Every spelling of a key, for the JSON Schema, which knows no flag for "in any case". */
function keyPattern(): string {
  const words = REGISTRY_KEYS.flatMap((key) => [key, ...(findToolchain(key)?.aliases ?? [])])
  const anyCase = (word: string) =>
    word.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).replaceAll('.', '\\.')
  return `^(${words.map(anyCase).join('|')})$`
}
