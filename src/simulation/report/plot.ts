import { UnavailableError } from '../../base/errors.ts'

/** Observable Plot without a browser. Both libraries are optional: who only runs a node needs neither. */
export interface Plotter {
  readonly Plot: typeof import('@observablehq/plot')
  /** An SVG element as text, for a page or a file of its own. */
  svg(options: import('@observablehq/plot').PlotOptions): string
}

export async function loadPlotter(): Promise<Plotter> {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]).catch(
    (cause: unknown) => {
      throw new UnavailableError(
        'reports need @observablehq/plot and linkedom, which are not installed; install them with `npm install @observablehq/plot linkedom`',
        { cause },
      )
    },
  )
  const { document } = parseHTML('<html><body></body></html>')
  return {
    Plot,
    svg(options) {
      const style = { background: 'none', fontSize: '12px', fontFamily: 'inherit' }
      const element = Plot.plot({ document: document as never, style, ...options }) as { outerHTML: string }
      return element.outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    },
  }
}
