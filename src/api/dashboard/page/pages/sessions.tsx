import type { JSX } from 'preact'
import type { SessionView } from '../../../access/sessions.ts'
import { send } from '../data/request.ts'
import { useAction, useResource } from '../data/resource.ts'
import { visible } from '../data/text.ts'
import { ProblemBox, Show } from '../parts/states.tsx'
import { Ago, durationText } from '../parts/time.tsx'
import { Tunnels, useTunnels } from '../parts/tunnels.tsx'

/** Who has the dashboard open, and the end of that. */
export function Sessions(): JSX.Element {
  const list = useResource<{ sessions: SessionView[] }>('/sessions')
  const own = useResource<{ session: SessionView }>('/session')
  const tunnels = useTunnels()
  const action = useAction()
  const revoke = (id: string) =>
    action.run(async () => {
      await send(`/sessions/${encodeURIComponent(id)}/revoke`)
      if (id === own.value?.session.id) location.reload()
      else list.reload()
    })
  return (
    <>
      <div class="page-head">
        <div>
          <h1>Sessions</h1>
          <p class="soft">
            Browsers that have this node's dashboard open. A session ends by itself when it is not used.
          </p>
        </div>
      </div>
      <section class="card" aria-label="Sessions">
        {action.problem === undefined ? null : <ProblemBox problem={action.problem} />}
        {/* without its own session the page would call this browser another one */}
        <Show of={own}>
          {({ session: mine }) => (
            <Show of={list}>
              {({ sessions }) => (
                <ul class="rows">
                  {sessions.map(({ id, scope, by, browser, createdAt, usedAt, expires, idleSeconds }) => (
                    <li key={id} class="session">
                      <div>
                        <b>{browserText(browser)}</b>{' '}
                        {id === mine.id ? (
                          <span class="state" data-tone="good">
                            this one
                          </span>
                        ) : null}
                        <div class="soft small">
                          may {scope === 'operate' ? 'do everything' : scope}; opened by {visible(by, 40)}{' '}
                          <Ago at={createdAt} />, used <Ago at={usedAt} />; ends <Ago at={expires} />, or after{' '}
                          {durationText(idleSeconds)} without use
                        </div>
                      </div>
                      <button
                        type="button"
                        class="button"
                        data-kind="danger"
                        disabled={action.busy}
                        onClick={() => revoke(id)}
                      >
                        {id === mine.id ? 'Sign out' : 'End'}
                        <span class="unseen"> the session of {browserText(browser)}</span>
                      </button>
                    </li>
                  ))}
                  {sessions.length === 0 ? <li class="soft">No session is open.</li> : null}
                </ul>
              )}
            </Show>
          )}
        </Show>
      </section>
      <section class="card" aria-label="Tunnels">
        <h2>Tunnels</h2>
        <p class="soft">
          Listeners on the node's machine that lead to services. Each ends with what opened it. The page of a service
          opens one.
        </p>
        <Tunnels list={tunnels} />
      </section>
      <section class="card" aria-label="A further session">
        <h2>A further session</h2>
        <p>Run this on the node's machine. It prints an address that opens the dashboard once, within a minute.</p>
        <pre class="command">thundercloud dashboard</pre>
      </section>
    </>
  )
}

const BROWSERS = ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'] as const
const SYSTEMS = ['Android', 'iPhone', 'Windows', 'Mac OS X', 'Linux'] as const

/** What a browser says that it is, in two words. */
function browserText(agent: string): string {
  const browser = BROWSERS.find((name) => agent.includes(name))
  const system = SYSTEMS.find((name) => agent.includes(name))
  if (browser === undefined) return visible(agent, 60) || 'a browser'
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser as string] ?? browser
  return system === undefined ? name : `${name} on ${system}`
}
