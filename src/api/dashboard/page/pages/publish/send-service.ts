import { bytesText } from '../../data/text.ts'

/** How much of the code the node has. `code`: its content id, when the node has all of it. */
export type SendProgress = { readonly share: number; readonly code: string | undefined }
export const NOTHING_SENT: SendProgress = { share: 0, code: undefined }

type Target = {
  upload(path: string, body: Blob, progress: (share: number) => void): Promise<{ code: string }>
  send(path: string, value: unknown): Promise<{ id: string }>
}

/** Sends the code, and then what is announced of it; resolves with the id of the service. `onProgress` is called with how far it is. */
export async function sendService(
  node: Target,
  tar: Blob,
  manifestOf: (code: string) => unknown,
  onProgress: (sent: SendProgress) => void,
): Promise<string> {
  // of an attempt before nothing stays
  onProgress(NOTHING_SENT)
  const { code } = await node.upload('/archive', tar, (share) => onProgress({ share, code: undefined }))
  onProgress({ share: 1, code })
  const { id } = await node.send('/service', manifestOf(code))
  return id
}

/** What the page says of it. `busy`: it goes on, and nothing was refused. */
export function progressText(
  { share, code }: SendProgress,
  size: number,
  busy: boolean,
): { bar: string; next: string } {
  if (code === undefined) {
    const bar = `${bytesText(Math.floor(share * size))} of ${bytesText(size)}`
    return { bar, next: 'The browser sends the code to the node.' }
  }
  return { bar: `all ${bytesText(size)}`, next: busy ? 'The node signs and announces the service.' : '' }
}
