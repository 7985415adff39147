import type { JSX } from 'preact'
import { pathTo } from '../data/router.ts'
import { shortId } from '../data/text.ts'

type Props = { readonly of: string }

/** To the services of an author. */
export function AuthorLink({ of }: Props): JSX.Element {
  return <Short of={of} what="author" to={pathTo('services', undefined, { author: of })} />
}

/** To what an address signed, as a hub or as one that vouches, and what the trust tree says of it. */
export function SignerLink({ of }: Props): JSX.Element {
  return <Short of={of} what="signer" to={pathTo('trust', undefined, { address: of })} />
}

/** To a code: the services that have it, and what hubs say of it. */
export function CodeLink({ of }: Props): JSX.Element {
  return <Short of={of} what="code" to={pathTo('code', of)} />
}

/** To the connection with a peer. `node`: what it is shown as, where that is its address. */
export function PeerLink({ of, node = of }: Props & { node?: string }): JSX.Element {
  return <Short of={node} what="peer" to={pathTo('neighbours', undefined, { peer: of })} />
}

function Short({ of, what, to }: Props & { what: string; to: string }): JSX.Element {
  return (
    <a class="mono" href={to} title={of}>
      <span class="unseen">{what} </span>
      {shortId(of)}
    </a>
  )
}
