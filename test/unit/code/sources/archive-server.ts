import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'

export const FILES = [
  { path: 'bin/run', content: '#!/bin/sh\n', executable: true },
  { path: 'lib/a.js', content: 'hello\n' },
]
/** The source at this address. */
export const https = (url: string, path?: string) => ({ type: 'https' as const, url, ...(path && { path }) })

/** A server of this archive, at /a. */
export const serve = (archive: Page) => sourceServer(() => ({ '/a': archive }))
/** Why the archive is no code that these files are. */
export const refusal = async (archive: Page, limits?: { maxBytes: number; maxEntries: number }) => {
  const { url } = await serve(archive)
  return await fetchSource(https(`${url}/a`), FILES, limits && { limits }).then(
    () => 'taken',
    (error: Error) => error.message,
  )
}
