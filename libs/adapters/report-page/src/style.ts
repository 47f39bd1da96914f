/** The page's look: it prints on A4, and needs no other file. */
export const STYLE = `
:root { color-scheme: light; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --good: #116329; --bad: #a40e26; --wait: #6e5600; }
html { font-size: 15px; }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: #fff; max-width: 860px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
p, li { overflow-wrap: anywhere; }
.soft, caption, .note { color: var(--soft); font-size: .9rem; }
.answer { border-left: 6px solid var(--wait); padding: .5rem 1rem; margin: 1rem 0; background: #f6f8fa; }
.answer.good { border-color: var(--good); } .answer.bad { border-color: var(--bad); }
.answer strong { font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
caption { text-align: left; padding: .3rem 0; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; white-space: nowrap; }
.covered { color: var(--soft); text-decoration: line-through; }
.failed, .broken { color: var(--bad); font-weight: 600; } .passed, .kept { color: var(--good); }
.chart { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .85rem; }
ol.footnotes { font-size: .85rem; } ol.footnotes code { font-size: .85rem; }
a { color: inherit; } sup a { text-decoration: none; }
@media print { html { font-size: 11px; } body { margin: 0; max-width: none; } h2, table, .chart { break-inside: avoid; } a { text-decoration: none; } }
`;
