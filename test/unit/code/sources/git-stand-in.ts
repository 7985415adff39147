import { fetchSource, type Page, sourceServer } from '../../../fixtures/code/source-server.ts'

export const OTHER = [{ path: 'x', content: 'x' }]

export const source = (url: string, commit: string, path?: string) => ({
  type: 'git' as const,
  url,
  commit,
  ...(path && { path }),
})

/** A line of git's wire. */
export const line = (text: string | Buffer) =>
  Buffer.concat([Buffer.from((text.length + 4).toString(16).padStart(4, '0')), Buffer.from(text as string)])
/** What a server says of itself. */
export const ABOUT = Buffer.concat([line('version 2\n'), line('fetch=shallow\n'), Buffer.from('0000')])
/** The answer that brings this pack. */
export const packed = (bytes: Buffer) =>
  Buffer.concat([
    line('packfile\n'),
    ...Array.from({ length: Math.ceil(bytes.byteLength / 60_000) }, (_, at) =>
      line(Buffer.concat([Buffer.of(1), bytes.subarray(at * 60_000, (at + 1) * 60_000)])),
    ),
    Buffer.from('0000'),
  ])
/** What becomes of a commit whose server answers so. */
export const outcome = async (about: Page, pack: Page, commit = 'a'.repeat(40), expected = OTHER) => {
  const { url } = await sourceServer(() => ({
    '/r/info/refs?service=git-upload-pack': about,
    '/r/git-upload-pack': pack,
  }))
  return fetchSource(source(`${url}/r`, commit), expected).then(
    () => 'taken',
    (error: Error) => error.message,
  )
}
