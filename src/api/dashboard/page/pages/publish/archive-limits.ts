/** What a browser reads of a folder or an archive, at most. */
export const MAX_FILES = 20_000
/** Of what an archive unpacks to; the node takes less. */
export const MAX_BYTES = 2 ** 31

export function tooManyFiles(max: number): Error {
  return new Error(`It has more than ${max} files; publish it with the command line.`)
}

export function tooLarge(): Error {
  return new Error('The archive holds more than 2 GiB; publish it with the command line.')
}
