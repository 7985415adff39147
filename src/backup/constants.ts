/** The beginning of a backup's file: what it is, and the version of its format. */
export const MAGIC = 'thundercloud-backup 1\n'
/** The line after it, which says how the rest is encrypted. */
export const MAX_HEADER_BYTES = 1024
/** 128 MiB of memory and some tenths of a second for one try at the passphrase. */
export const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const
/** What a file may ask for: a backup of this program never does, and a made-up one gets no further. */
export const MAX_SCRYPT_BYTES = 2 ** 30
export const MIN_PASSPHRASE_LENGTH = 12
export const SALT_BYTES = 16
export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16
/** Of the operator's folder without its data: settings, runners, and folders of own services. */
export const MAX_FOLDER_BYTES = 256 * 1024 * 1024
export const MAX_FOLDER_FILES = 20_000
