/** The launcher listens here on the overlay network. */
export const LAUNCHER_PORT = 7465
/** The swarm shows the launcher its key there, in memory. */
export const KEY_FILE = '/run/secrets/thundercloud-key'
/** Both sides have the key. A stranger on the network can neither read, nor alter, nor begin a connection. */
export const TLS_OPTIONS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const
/** Either side asks this often whether the other is there, and closes what was silent for the longer time. */
export const SILENCE_MS = 60_000

/** What a launcher is started with, as JSON. `sweep`: it removes what killed ones have left, and ends. */
export type LauncherSettings = { readonly mode: 'run' | 'sweep' }
