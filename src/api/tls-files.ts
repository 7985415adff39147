import { stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import { InputError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { readSecret, readText } from '../config/index.ts'
import { TLS_LOOK_MS } from './constants.ts'

export type TlsPaths = { readonly cert: string; readonly key: string }
export type TlsPair = { readonly cert: string; readonly key: string }

/** The certificate and its key, read again when a file changes. What is wrong by then is logged, and the pair before stays. */
export interface TlsFiles extends Disposable {
  readonly pair: TlsPair
  /** Calls back with each further pair. */
  onChange(listener: (pair: TlsPair) => void): void
}

export interface TlsComponents {
  readonly clock: Pick<Clock, 'every'>
  readonly log: Log
}

/** Throws an InputError where a file is missing, others may read the key, or the two do not belong together. */
export async function openTlsFiles({ clock, log }: TlsComponents, paths: TlsPaths): Promise<TlsFiles> {
  const listeners = new Set<(pair: TlsPair) => void>()
  let seen = await stampOf(paths)
  let pair = await readPair(paths)

  async function look(): Promise<void> {
    const stamp = await stampOf(paths)
    if (stamp === seen) return
    seen = stamp
    try {
      pair = await readPair(paths)
      log.info('the certificate of the API was read again', { file: paths.cert })
      for (const listener of listeners) listener(pair)
    } catch (error) {
      log.warn('the certificate of the API was changed and cannot be used; the one before stays', {
        reason: messageOf(error),
      })
    }
  }

  const timer = clock.every(TLS_LOOK_MS, () => void look())
  return {
    get pair() {
      return pair
    },
    onChange: (listener) => void listeners.add(listener),
    [Symbol.dispose]: () => timer.cancel(),
  }
}

async function readPair(paths: TlsPaths): Promise<TlsPair> {
  const advice = 'name PEM files in API_TLS in node.json, or leave it out'
  const cert = await readText(paths.cert, `API_TLS.CERT ${paths.cert}`, advice)
  const key = await readSecret(paths.key, `API_TLS.KEY ${paths.key}`, advice)
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    const problem = `API_TLS: ${paths.cert} and ${paths.key} are no certificate in PEM and its key without a passphrase`
    throw new InputError(`${problem} (${messageOf(cause)})`, { cause })
  }
  return { cert, key }
}

/** What changes with the files, also where a link leads to others. */
async function stampOf({ cert, key }: TlsPaths): Promise<string> {
  const stamps = [cert, key].map(async (path) => {
    const info = await stat(path).catch(() => undefined)
    return info && `${info.ino} ${info.mtimeMs} ${info.ctimeMs} ${info.size}`
  })
  return (await Promise.all(stamps)).join(', ')
}
