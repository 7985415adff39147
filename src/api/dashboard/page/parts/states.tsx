import type { ComponentChildren, JSX } from 'preact'
import type { Problem } from '../data/request.ts'
import type { Resource } from '../data/resource.ts'

/** Nothing is there, and that is no failure. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <svg viewBox="0 0 64 40" aria-hidden="true">
        <path d="M18 32a10 10 0 0 1-1-19.900A14 14 0 0 1 44 14a9 9 0 0 1-1 18z" />
        <path d="M24 38h.01M32 38h.01M40 38h.01" />
      </svg>
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  )
}

export function ProblemBox({ problem, retry }: { problem: Problem; retry?: (() => void) | undefined }): JSX.Element {
  return (
    <div class="notice" data-tone="bad" role="alert">
      <div>
        <p>{problem.message}</p>
        {problem.fix === undefined ? null : <p class="small">{problem.fix}</p>}
      </div>
      {retry === undefined ? null : (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Loading(): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="unseen">Loading</span>
      <i />
      <i />
      <i />
    </div>
  )
}

/** What a resource says, or why it says nothing. What was read before stays, with the problem above it. */
export function Show<T>({ of, children }: { of: Resource<T>; children: (value: T) => ComponentChildren }): JSX.Element {
  const { value, problem, reload } = of
  return (
    <>
      {problem === undefined || problem.status === 401 ? null : <ProblemBox problem={problem} retry={reload} />}
      {value === undefined ? problem === undefined ? <Loading /> : null : children(value)}
    </>
  )
}
