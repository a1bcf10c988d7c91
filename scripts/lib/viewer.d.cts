export interface Viewer {
  readonly url: string;
  /** The page that shows these studies. */
  studyUrl(...studyInstanceUids: string[]): string;
  stop(): Promise<void>;
}

export const VIEWER_VERSION: string;

/**
 * Brings OHIF's files into the cache folder where they are not there yet (HILUM_CACHE_DIR); returns the folder with
 * index.html.
 */
export function ensureViewer(): Promise<string>;

/**
 * Serves OHIF with a proxy to `dicomWebUrl` on the same origin. `cpu`: draws without WebGL, for browsers without a GPU:
 * software WebGL leaves viewports black.
 */
export function startViewer(options: {
  dicomWebUrl: string;
  dist?: string;
  port?: number;
  host?: string;
  cpu?: boolean;
}): Promise<Viewer>;
