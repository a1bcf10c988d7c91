const page = new EventTarget();
Object.assign(globalThis, { window: page });
const { useHeaders } = jest.requireActual<{ useHeaders: () => unknown }>('../../../src/web/pages/use');

const BACKGROUND = { 'x-hilum-background': '1' };

test('only the first request after something that a person did counts as use', () => {
  expect(useHeaders()).toEqual(BACKGROUND);
  for (const action of ['click', 'input', 'keydown', 'pointerdown', 'popstate', 'wheel']) {
    page.dispatchEvent(new Event(action));
    expect([useHeaders(), useHeaders()]).toEqual([{}, BACKGROUND]);
  }
  // Nobody moves a pointer that rests where the page moves.
  page.dispatchEvent(new Event('pointermove'));
  expect(useHeaders()).toEqual(BACKGROUND);
});
