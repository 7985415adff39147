/** From the first arrival to the last; each is seen on white and on black. */
export const RAMP = ['#2f6fde', '#7a55d6', '#c2437f', '#e0603f', '#f0a030'] as const

/** Kinds without an order, apart for those who see few colours too. */
export const KINDS = ['#2f6fde', '#e0803a', '#2a9d78', '#c2437f', '#8a7a1f', '#4aa8d8', '#7a55d6', '#8c8c8c'] as const

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14161a); --card: light-dark(#f6f7f9, #1c1f25); --ink: light-dark(#1c2128, #e6e8ec);
  --faint: light-dark(#667080, #98a1b0); --line: light-dark(#dfe3e8, #323843);
  --good: light-dark(#1a7f4b, #4cc38a); --bad: light-dark(#c0332c, #ff7b72); --plot-background: var(--paper);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 48px 0 4px; }
p { margin: 6px 0 12px; max-width: 76ch; }
.faint, figcaption, .tile small { color: var(--faint); }
.facts { display: flex; flex-wrap: wrap; gap: 6px 18px; color: var(--faint); font-size: 14px; margin: 10px 0 24px; padding: 0; list-style: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 24px 0; }
.tile { background: var(--card); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 22px; white-space: nowrap; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile small { font-size: 13px; line-height: 1.3; display: block; }
figure { margin: 12px 0 8px; }
.centred svg { display: block; margin: 0 auto; }
figcaption { font-size: 14px; max-width: 76ch; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 8px 32px; }
@media (max-width: 560px) { .pair { grid-template-columns: 1fr; } }
svg { max-width: 100%; height: auto; overflow: visible; }
table { border-collapse: collapse; font-size: 14px; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 500; }
td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; }
.good { color: var(--good); } .bad { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--faint); align-items: center; margin: 4px 0; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; }
.legend i.ring { border-radius: 50%; border: 1.5px solid var(--faint); background: none; }
.ramp { display: inline-block; width: 180px; height: 10px; border-radius: 5px; background: linear-gradient(90deg, ${RAMP.join(', ')}); }
details { margin-top: 24px; } summary { cursor: pointer; color: var(--faint); }
`
