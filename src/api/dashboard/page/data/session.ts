import { signal } from '@preact/signals'
import { Problem, send } from './request.ts'

type SignIn = { readonly state: 'opening' | 'open' } | { readonly state: 'failed'; readonly problem: Problem }

export const signIn = signal<SignIn>({ state: 'opening' })

/**
 * Exchanges the secret of a one-time address for a session. The secret leaves the address first: it is in no history, and what
 * is copied from the address bar is of no use to others.
 */
export async function openSession(): Promise<void> {
  const secret = /^#login=(.+)$/.exec(location.hash)?.[1]
  if (secret === undefined) {
    signIn.value = { state: 'open' }
    return
  }
  history.replaceState(null, '', location.pathname + location.search)
  try {
    await send('/session', { secret })
    signIn.value = { state: 'open' }
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem('The session could not be opened.', { status: 0 })
    signIn.value = { state: 'failed', problem }
  }
}
