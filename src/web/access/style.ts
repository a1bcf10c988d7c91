/** Style of the sign-in and account pages: small, light and dark by the system's setting, large enough for a finger. */
export const ACCESS_CSS = `:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --text: #1b1f24;
  --soft: #57606a; --line: #8c959f; --act: #0b57b0; --on-act: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #101317; --card: #1a1f25; --text: #e8eaed; --soft: #a9b1ba;
  --line: #6b747e; --act: #8ab8f5; --on-act: #0b1a2b; --bad: #ff9a92; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 26rem; margin: 8vh auto; padding: 0 1rem 2rem; }
main.wide { max-width: 60rem; margin-top: 2rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
form, .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
  margin: 1rem 0; }
form.inline { display: inline; background: none; border: 0; padding: 0; margin: 0; }
label { display: block; margin: .75rem 0 .25rem; } label.check { display: inline-block; margin-right: 1rem; }
input:not([type=checkbox]), select { width: 100%; min-height: 2.75rem; padding: .4rem .6rem; font: inherit;
  color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: .35rem; }
input[type=checkbox] { width: 1.2rem; height: 1.2rem; vertical-align: -.2rem; }
button, a.button { display: inline-block; min-height: 2.75rem; margin-top: 1rem; padding: .5rem 1rem; font: inherit;
  font-weight: 600; color: var(--on-act); background: var(--act); border: 0; border-radius: .35rem;
  text-decoration: none; cursor: pointer; }
a { color: var(--act); } a.button { color: var(--on-act); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
[role=alert] { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.languages a { display: inline-block; min-height: 1.5rem; margin-right: .75rem; }
code { overflow-wrap: anywhere; font-size: 1rem; }
`;
