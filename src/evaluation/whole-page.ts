import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { html, Html } from '../base/html';
import type { Words } from '../language/say';

/** `npm run build` puts it beside this file. */
const STYLE = join(__dirname, 'report.css');

/**
 * A report as one HTML file without any network access, which its Content Security Policy forbids.
 * @param footer text at the foot of each printed page
 */
export function wholePage(
  { title, footer, content }: { readonly title: string; readonly footer: string; readonly content: Html },
  words: Words,
): string {
  const document = html`<html lang="${words.language}">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta
        http-equiv="Content-Security-Policy"
        content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
      />
      <title>${title}</title>
      <style>
        ${new Html(styleSheet(footer))}
      </style>
    </head>
    <body>
      <main>${content}</main>
    </body>
  </html> `;
  return `<!doctype html>\n${document.text}`;
}

const styleSheet = (footer: string) => readFileSync(STYLE, 'utf8').replace('{{footer}}', () => inString(footer));

/** Text for a string of a style sheet inside a page: nothing in it can end the string, the rule or the element. */
function inString(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:-]/gu, (sign) => `\\${sign.codePointAt(0)!.toString(16)} `);
}
