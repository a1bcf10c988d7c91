import type { Words } from '../language/say';
import { html, Markup } from './markup';
import { styleSheet } from './style';

/** A report as one HTML file without any network access, which its Content Security Policy forbids. */
export function wholePage(
  { title, footer, content }: { readonly title: string; readonly footer: string; readonly content: Markup },
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
        ${new Markup(styleSheet(footer))}
      </style>
    </head>
    <body>
      <main>${content}</main>
    </body>
  </html> `;
  return `<!doctype html>\n${document.text}`;
}
