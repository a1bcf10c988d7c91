/**
 * Style sheet of a report: light or dark as the reader prefers, black on white on A4 when printed, no web fonts.
 * Printed pages carry their number and the footer (CSS Paged Media, margin boxes).
 * @param footer text that names the report
 */
export function styleSheet(footer: string): string {
  return `${SCREEN}${PRINT}@page { size: A4; margin: 16mm 15mm 18mm; }
@page { @bottom-left { content: ${cssString(footer)}; font: 8pt system-ui, sans-serif; color: #444; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #444; } }
`;
}

/**
 * A string for a style sheet inside of a page, escaped so that it can end neither the string, the rule nor the element.
 */
function cssString(text: string): string {
  return `"${text.replace(/[^\p{L}\p{N} .,:-]/gu, (sign) => `\\${sign.codePointAt(0)!.toString(16)} `)}"`;
}

const SCREEN = `
:root { color-scheme: light dark; --ink: #1a1f26; --faint: #59636e; --ground: #ffffff; --raised: #f3f5f8;
  --line: #d3d9e0; --curve: #0b5fb0; --mark: #b3400a; --warning: #8a2c02; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --faint: #a4afbb; --ground: #10151b; --raised: #1a212a;
  --line: #343e4a; --curve: #6fb3ff; --mark: #ffb454; --warning: #ffb454; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--ground); }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
p, li { max-width: 46rem; } .faint { color: var(--faint); } .warning { color: var(--warning); font-weight: 600; }
.verdict { font-size: 1.1rem; font-weight: 600; }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { text-align: right; padding: .25rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child { text-align: left; } thead th { background: var(--raised); }
tbody th { font-weight: 500; overflow-wrap: break-word; min-width: 6rem; max-width: 16rem; }
.words th, .words td { text-align: left; overflow-wrap: anywhere; } .words th:first-child { overflow-wrap: normal; }
.form table { width: 100%; max-width: 46rem; } .form td { min-width: 8rem; height: 1.5rem; }
.signatures td { height: 2.6rem; } .blank.line { border-bottom: 1px solid var(--line); height: 1.6rem; }
.scroll { overflow-x: auto; } .scroll td { white-space: nowrap; }
.plot { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
svg { width: 24rem; max-width: 100%; height: auto; font-size: 13px; } svg text { fill: var(--faint); }
.grid { stroke: var(--line); fill: none; }
.curve { stroke: var(--curve); stroke-width: 2.5; fill: none; }
.chance { stroke: var(--faint); stroke-dasharray: 5 5; fill: none; }
.bar { stroke: var(--faint); stroke-width: 1.5; } .dot, .above { fill: var(--mark); } .below { fill: var(--curve); }
figure { display: inline-block; margin: 0 1rem 1.2rem 0; max-width: 20rem; vertical-align: top; }
figure img { max-width: 100%; height: auto; } figcaption { font-size: .9rem; overflow-wrap: anywhere; }
`;

/** Rows, figures and plots are not split across pages, and table headings are repeated. */
const PRINT = `@media print { :root { color-scheme: light; --ink: #000; --faint: #444; --ground: #fff; --raised: #fff;
  --line: #999; --curve: #0b5fb0; --mark: #b3400a; --warning: #8a2c02; }
body { padding: 0; max-width: none; font-size: .8rem; } .scroll { overflow: visible; }
.scroll td { white-space: normal; } thead { display: table-header-group; }
tr, figure, svg, table, .plot, .signatures { break-inside: avoid; }
.words:not(.form) table, .scroll table { break-inside: auto; }
h2, h3, h2 + p, h3 + p, .verdict, caption, thead { break-after: avoid; }
h2 { margin-top: 1.2rem; } p, li { orphans: 3; widows: 3; } .plot { gap: .5rem; } svg { width: 17rem; } }
`;
