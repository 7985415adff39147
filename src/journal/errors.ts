import { ThundercloudError, UnavailableError } from '../base/errors.ts'

/** The file is not a journal, or is damaged. Only a person can repair it. */
export class JournalDamagedError extends ThundercloudError {
  override readonly name = 'JournalDamagedError'
}

/** The disk is full or does not answer: nothing of the call was written, and it may work later. */
export class JournalUnavailableError extends UnavailableError {
  override readonly name = 'JournalUnavailableError'
}

/** SQLite's primary result codes; extended codes carry them in their low byte. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** What SQLite says, as one of the house's errors that names the file. Errors that are not SQLite's pass unchanged. */
export function explainSqlite(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
  const options = { cause: error }
  switch (error.errcode & 0xff) {
    case FULL:
      return new JournalUnavailableError(`the disk is full: the journal ${path} cannot grow; free some space`, options)
    case IOERR:
    case BUSY:
    case LOCKED:
      return new JournalUnavailableError(`the journal ${path} cannot be written now: ${error.message}`, options)
    case CORRUPT:
    case NOTADB:
      return new JournalDamagedError(damaged(path, error.message), options)
    case CANTOPEN:
    case READONLY:
      return new JournalDamagedError(
        `the journal ${path} cannot be opened (${error.message}): its folder must exist and be writable`,
        options,
      )
    default:
      return error
  }
}

export function damaged(path: string, detail: string): string {
  return `the journal ${path} is damaged or no journal at all (${detail}): restore it, or move it away to begin an empty one`
}
