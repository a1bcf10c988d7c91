/**
 * What a person does on the page. `click` and `input` also come from assistive technology, without key or pointer;
 * `popstate` is the way back.
 */
const ACTIONS = ['click', 'input', 'keydown', 'pointerdown', 'popstate', 'wheel'];

let isUsed = false;
// Before the page's own listeners, which make the requests.
for (const action of ACTIONS)
  window.addEventListener(action, () => void (isUsed = true), { capture: true, passive: true });

/**
 * Headers of the next request to the API. Only the first one after an action renews the session: what the page requests
 * by itself is marked, so that an abandoned page is signed out.
 */
export function useHeaders(): Record<string, string> {
  const headers: Record<string, string> = isUsed ? {} : { 'x-hilum-background': '1' };
  isUsed = false;
  return headers;
}
