import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../build.ts'

/** A fenced block of a document. */
export type Block = {
  readonly document: string
  /** of the line with the opening fence */
  readonly line: number
  readonly language: string
  readonly text: string
  /** the reason of `<!-- not run: REASON -->` on the line before */
  readonly notRun: string | undefined
}

export const DOCUMENTS = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md'], { cwd: ROOT }).sort()

export function blocksOf(document: string): readonly Block[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return [...text.matchAll(/(?:^<!-- not run: (.+) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm)].map((found) => {
    const [whole, notRun, language = '', body = ''] = found
    const before = text.slice(0, found.index + whole.indexOf('```'))
    return { document, line: before.split('\n').length, language, text: body, notRun }
  })
}

/** The blocks that a reader types into a shell. */
export const shellBlocks = (document: string) => blocksOf(document).filter(({ language }) => language === 'sh')

/** One command a line, without the comment that explains it. */
export function commandsOf({ text }: Pick<Block, 'text'>): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|\s+)#.*$/, '').trimEnd())
  return lines.filter((line) => line !== '')
}

/** Commands in running text and in tables: `` `thundercloud explain SERVICE` ``. */
export function inlineCommandsOf(document: string): readonly string[] {
  const prose = readFileSync(join(ROOT, document), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/`((?:thundercloud|npm) [^`]+)`/g)].map(([, command = '']) => command)
}
