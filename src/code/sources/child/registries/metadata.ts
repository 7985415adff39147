import { UnusableSourceError } from '../errors.ts'
import type { Checksum, RegistrySource } from './types.ts'

/** A field of a document that somebody else wrote. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string | number, unknown>)[key]
  }
  return at
}

export function stringAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

export function arrayAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found : []
}

/** Throws where name or version is not one of this registry: nothing else may become a part of an address. */
export function checkPackage({ kind, name, version }: RegistrySource, names: RegExp, versions: RegExp): void {
  if (!names.test(name))
    throw new UnusableSourceError(`${JSON.stringify(name)} is not the name of a package of ${kind}`)
  if (!versions.test(version)) {
    throw new UnusableSourceError(
      `${JSON.stringify(version)} is not one version of a package of ${kind}; name it exactly`,
    )
  }
}

/** Of the package itself, whose name stands before the sentence. */
export function packageError(what = 'there is no such version'): UnusableSourceError {
  return new UnusableSourceError(what)
}

/** An address that a document gives; relative ones are relative to the document. */
export function resolveUrl(text: string, base: URL): URL {
  const url = URL.parse(text, base)
  if (url === null || !/^https?:$/.test(url.protocol)) throw packageError('its file has no address')
  return url
}

const LENGTHS = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 } as const

/** A checksum as a registry spells it; undefined where it is none. */
export function checksumOf(
  algorithm: Checksum['algorithm'],
  text: string | undefined,
  encoding: 'hex' | 'base64' = 'hex',
): Checksum | undefined {
  const digest = Buffer.from(text?.trim() ?? '', encoding)
  return digest.byteLength === LENGTHS[algorithm] ? { algorithm, digest } : undefined
}
