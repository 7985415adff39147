import type { FunctionComponent, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { connection, startLive } from '../data/live.ts'
import { BASE, pathTo, place } from '../data/router.ts'
import { openSession, signIn } from '../data/session.ts'
import { Overview } from '../pages/overview.tsx'
import { LinkState, Lost } from './connection.tsx'
import { Icon, type IconName, Mark } from './icons.tsx'
import { Lazy } from './lazy.tsx'
import { SignIn } from './sign-in.tsx'
import { Empty } from './states.tsx'
import { ThemeSwitch } from './theme.tsx'

type Page = {
  readonly title: string
  readonly icon?: IconName | undefined
  readonly view: FunctionComponent
}

const PAGES: Readonly<Record<string, Page>> = {
  '': { title: 'Overview', icon: 'overview', view: Overview },
  services: { title: 'Services', icon: 'services', view: later(() => import('../pages/services.tsx'), 'Services') },
  dormitory: { title: 'Dormitory', icon: 'waiting', view: later(() => import('../pages/dormitory.tsx'), 'Dormitory') },
  neighbours: {
    title: 'Neighbours',
    icon: 'neighbours',
    view: later(() => import('../pages/neighbours.tsx'), 'Neighbours'),
  },
  trust: { title: 'Trust', icon: 'trust', view: later(() => import('../pages/trust.tsx'), 'Trust') },
  policy: { title: 'Policy', icon: 'policy', view: later(() => import('../pages/policy.tsx'), 'Policy') },
  publish: { title: 'Publish', icon: 'publish', view: later(() => import('../pages/publish.tsx'), 'Publish') },
  sessions: { title: 'Sessions', icon: 'sessions', view: later(() => import('../pages/sessions.tsx'), 'Sessions') },
  service: { title: 'Service', view: later(() => import('../pages/service.tsx'), 'Service') },
  code: { title: 'Code', view: later(() => import('../pages/code.tsx'), 'Code') },
  why: { title: 'Why', view: later(() => import('../pages/why.tsx'), 'Why') },
}

/** Which entry of the menu a page without one belongs to. */
const BELOW: Readonly<Record<string, string>> = { service: 'services', why: 'services', code: 'services' }

export function App(): JSX.Element {
  const { page } = place.value
  const shown = PAGES[page]
  const { state } = connection.value
  const entry = signIn.value

  useEffect(() => void openSession().then(startLive), [])
  useEffect(() => {
    document.title = `${shown?.title ?? 'Not found'} · Thundercloud`
  }, [shown])

  if (entry.state === 'failed' || state === 'signed-out') {
    return <SignIn problem={entry.state === 'failed' ? entry.problem : undefined} />
  }
  const View = shown?.view
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="side">
        <a class="brand" href={BASE}>
          <Mark />
          Thundercloud
        </a>
        <Menu page={BELOW[page] ?? page} />
        <div class="side-foot">
          <LinkState />
          <ThemeSwitch />
        </div>
      </header>
      <div class="main">
        <Lost />
        <main id="content" tabIndex={-1} class="page fade" key={page} data-stale={state === 'lost'}>
          {entry.state === 'opening' ? null : View === undefined ? <NoPage /> : <View />}
        </main>
      </div>
    </div>
  )
}

function Menu({ page }: { page: string }): JSX.Element {
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    const { current } = nav
    // of the page that is shown now
    void page
    const chosen = current?.querySelector('[aria-current]')
    if (!current || !chosen) return
    // where the menu is one line that scrolls; `scrollIntoView` would move the whole page, too
    const { left, width } = chosen.getBoundingClientRect()
    current.scrollLeft += left + width / 2 - current.getBoundingClientRect().left - current.clientWidth / 2
  }, [page])
  return (
    <nav class="nav" aria-label="Pages" ref={nav}>
      <ul>
        {Object.entries(PAGES).map(([name, { title, icon }]) =>
          icon === undefined ? null : (
            <li key={name}>
              <a href={pathTo(name)} aria-current={name === page ? 'page' : undefined}>
                <Icon name={icon} />
                {title}
              </a>
            </li>
          ),
        )}
      </ul>
    </nav>
  )
}

function NoPage(): JSX.Element {
  return (
    <Empty title="There is no such page">
      The address is not one of the dashboard's. <a href={BASE}>Go to the overview.</a>
    </Empty>
  )
}

/** A page whose code is loaded when it is opened. */
function later<Name extends string>(
  load: () => Promise<Record<Name, FunctionComponent>>,
  name: Name,
): FunctionComponent {
  return () => <Lazy load={async () => (await load())[name]} id={name} />
}
