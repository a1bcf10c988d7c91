/** A chest film is a CR or DX instance, whatever its SOP Class. */
export const FILM_MODALITIES: ReadonlySet<string> = new Set(['CR', 'DX']);
