import { html, type Html, type HtmlPart } from '../base/html';

/** A table whose first column names its rows. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly HtmlPart[])[]): Html {
  const body = rows.map(
    ([name, ...cells]) =>
      html`<tr>
        <th scope="row">${name ?? ''}</th>
        ${cells.map((cell) => html`<td>${cell}</td>`)}
      </tr>`,
  );
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${head.map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${body}
    </tbody>
  </table>`;
}
