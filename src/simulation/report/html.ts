import { STYLE } from './theme.ts'

/** Text that is markup already. */
export type Html = { readonly html: string }

/** What is not marked as HTML is escaped: titles, groups and rules are other people's words. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (Html | string | number | readonly Html[])[]
): Html {
  const text = (value: Html | string | number | readonly Html[]): string => {
    if (Array.isArray(value)) return value.map(({ html }: Html) => html).join('')
    return typeof value === 'object' ? (value as Html).html : escapeHtml(String(value))
  }
  return { html: parts.reduce((all, part, index) => all + text(values[index - 1] ?? '') + part) }
}

export function raw(markup: string): Html {
  return { html: markup }
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** One file that needs nothing else, and may load nothing. */
export function page(title: string, body: readonly Html[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`.html
}

export function figure(svg: string, caption: string, legend: Html = raw('')): Html {
  return html`<figure>${legend}${raw(svg)}<figcaption>${caption}</figcaption></figure>`
}

export function legendOf(entries: readonly (readonly [label: string, color: string])[]): Html {
  return html`<div class="legend">${entries.map(([label, color]) => html`<span><i style="background:${color}"></i>${label}</span>`)}</div>`
}

export function tableOf(columns: readonly string[], rows: readonly (readonly (string | number | null)[])[]): Html {
  const cell = (value: string | number | null) =>
    typeof value === 'number' ? html`<td class="number">${numberText(value)}</td>` : html`<td>${value ?? '–'}</td>`
  return html`<div class="scroll"><table><thead><tr>${columns.map((name) => html`<th>${name}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`
}

export function numberText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)))
}
