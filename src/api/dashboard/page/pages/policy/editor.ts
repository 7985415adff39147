import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { type Diagnostic, linter, lintKeymap } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { placeAt, rangeOf } from './json-path.ts'
import { keysAt, valuesAt } from './schema.ts'

export type EditorInit = {
  readonly text: string
  onChange(text: string): void
  /** The node's sentences about a text. */
  check(text: string): Promise<readonly string[]>
}

/** How long a person must not have typed before the node is asked. */
const CHECK_DELAY_MS = 350

/**
 * An editor in a shadow root: there, CodeMirror takes style sheets that it constructs, which the content security policy allows;
 * in the page itself it would write style elements, which it does not.
 */
export function createEditor(host: HTMLElement, init: EditorInit): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  root.replaceChildren()
  return new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: init.text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        bracketMatching(),
        jsonWithComments,
        syntaxHighlighting(COLOURS),
        autocompletion({ override: [complete] }),
        linter(async (view) => diagnosticsOf(await init.check(view.state.doc.toString()), view), {
          delay: CHECK_DELAY_MS,
        }),
        keymap.of([...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': 'Text of the policy, config.json', tabindex: '0' }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) init.onChange(state.doc.toString())
        }),
        EditorView.domEventHandlers({ beforeinput: replaceSelection }),
        THEME,
      ],
    }),
  })
}

/** Puts another text in, as one step that can be undone. */
export function replaceText(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
}

/** Leads to what a sentence is about. */
export function goTo(view: EditorView, sentence: string): void {
  const { from } = rangeOf(sentence, view.state.doc.toString())
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
  view.focus()
}

/** "line 3, column 7" of what a sentence is about. */
export function positionText(text: string, sentence: string): string {
  const before = text.slice(0, rangeOf(sentence, text).from).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/**
 * What is typed over a selection. Left to the browser, it keeps the looks of what it replaces as an inline style, which the
 * content security policy forbids.
 */
function replaceSelection(event: InputEvent, view: EditorView): boolean {
  const { state } = view
  if (event.inputType !== 'insertText' || event.data === null || view.composing || state.selection.main.empty)
    return false
  event.preventDefault()
  view.dispatch(state.update(state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true }))
  return true
}

function diagnosticsOf(sentences: readonly string[], view: EditorView): Diagnostic[] {
  const text = view.state.doc.toString()
  return sentences.map((message) => ({ ...rangeOf(message, text), severity: 'error', message }))
}

function complete(context: CompletionContext): CompletionResult | null {
  const place = placeAt(context.state.doc.toString(), context.pos)
  if (place === undefined) return null
  const word = context.matchBefore(/"?[\w.$-]*/)
  if (word === null || (word.from === word.to && !context.explicit)) return null
  if (place.at === 'value') {
    const options = valuesAt(place.path).map(({ label, info = '' }) => ({ label, info, type: 'constant' }))
    return { from: word.from, options }
  }
  const options = keysAt(place.path).map(({ label, info = '', value }) => ({
    label: `"${label}"`,
    info,
    type: 'property',
    apply: `"${label}": ${JSON.stringify(value)}`,
  }))
  return { from: word.from, options }
}

const jsonWithComments = StreamLanguage.define<{ comment: boolean }>({
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (state.comment) {
      state.comment = !stream.match(/^.*?\*\//)
      if (state.comment) stream.skipToEnd()
      return 'comment'
    }
    if (stream.eatSpace()) return null
    if (stream.match('//')) {
      stream.skipToEnd()
      return 'comment'
    }
    if (stream.match('/*')) {
      state.comment = !stream.match(/^.*?\*\//)
      if (state.comment) stream.skipToEnd()
      return 'comment'
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return stream.match(/^\s*:/, false) ? 'propertyName' : 'string'
    if (stream.match(/^-?\d[\d.eE+-]*/)) return 'number'
    if (stream.match(/^(?:true|false|null)\b/)) return 'bool'
    stream.next()
    return null
  },
  languageData: {
    commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
    closeBrackets: { brackets: ['{', '[', '"'] },
  },
})

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: [tags.number, tags.bool], color: 'var(--wait)' },
  { tag: tags.comment, color: 'var(--text-soft)', fontStyle: 'italic' },
])

const THEME = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--raised)', fontSize: 'var(--text-m)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--accent)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '.cm-gutters': { color: 'var(--text-soft)', backgroundColor: 'var(--raised)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'light-dark(#eeeffa80, #26264a80)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'light-dark(#cfcdf7, #3a3875)',
  },
  '.cm-tooltip': {
    color: 'var(--text)',
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius-s)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent-fill)' },
  '.cm-completionInfo': { maxWidth: '22rem', padding: '0.5rem', fontFamily: 'var(--sans)' },
  // its own underline is an image in the style sheet, which the content security policy does not allow
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
})
