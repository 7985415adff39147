import { createChannel } from '../base/bounded-channel.ts'

const MAX_ANSWERS = 4096

/**
 * Asks peers as they are found, all at the same time: the answers, as they come. A peer that does not answer is passed
 * over; one that is named again is asked again where it did not answer, for it may be reachable now.
 */
export async function* askPeers<T>(peers: AsyncIterable<string>, ask: (peer: string) => Promise<T>): AsyncGenerator<T> {
  const answers = createChannel<T>(MAX_ANSWERS)

  const answered = async (peer: string, before: Promise<boolean> | undefined): Promise<boolean> => {
    if ((await before) === true) return true
    try {
      answers.push(await ask(peer))
      return true
    } catch {
      return false
    }
  }
  const askAll = async () => {
    const asked = new Map<string, Promise<boolean>>()
    for await (const peer of peers) asked.set(peer, answered(peer, asked.get(peer)))
    await Promise.all(asked.values())
  }

  askAll().then(
    () => answers.end(),
    (error: unknown) => answers.end(error),
  )
  yield* answers
}
