import { html, Html } from '../../src/base/html';

test('what is put in is escaped, in text and in attributes', () => {
  const name = `<img src=x onerror="alert('1')"> & Co`;
  const escaped = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; Co';
  expect(html`<p title="${name}">${name}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
});

test('what is HTML already is put in as it is, once', () => {
  const inner = html`<b>${'a & b'}</b>`;
  expect(html`<p>${inner}${new Html('<i>c</i>')}</p>`.text).toBe('<p><b>a &amp; b</b><i>c</i></p>');
});

test('a list is its parts one after the other, text among them escaped, lists in lists too', () => {
  expect(html`${['<', html`<br />`, [1, null, ['>']]]}`.text).toBe('&lt;<br />1&gt;');
});

test('null, undefined, an empty list and an empty text put in nothing; zero is put in', () => {
  expect(html`a${null}b${undefined}c${[]}d${0}${''}`.text).toBe('abcd0');
});
