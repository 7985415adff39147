import { signal } from '@preact/signals'

export const BASE = '/dashboard/'

export type Place = {
  /** "", "services", "service" */
  readonly page: string
  /** what follows: the id of a service */
  readonly id: string | undefined
  readonly query: URLSearchParams
}

export const place = signal<Place>(read())

function read(): Place {
  const [page = '', id] = location.pathname.slice(BASE.length).split('/')
  return { page, id: id === '' ? undefined : id, query: new URLSearchParams(location.search) }
}

/** The address of a page. */
export function pathTo(page: string, id?: string, query?: Record<string, string>): string {
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  return `${BASE}${page}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${search}`
}

export function go(path: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  const before = place.value.page
  place.value = read()
  if (options.replace !== true || before !== place.value.page) scrollTo(0, 0)
}

/** Links of the dashboard change the page without loading it again. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = read()
  })
  document.addEventListener('click', (event) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!plain || event.defaultPrevented || link === null || link.target !== '' || link.hasAttribute('download')) return
    if (link.origin !== location.origin || !link.pathname.startsWith(BASE)) return
    if (link.hash !== '' && link.pathname === location.pathname) return
    event.preventDefault()
    go(link.href)
  })
}
