import type { InstanceReference } from '../dicom/instance';
import type { Archive, FetchedFilm } from './stage';

/** Retrieves the film as the archive stores it (WADO-RS, stored transfer syntax). @throws HilumError of the archive */
export async function fetchFilm(
  reference: InstanceReference,
  archive: Pick<Archive, 'retrieve'>,
): Promise<FetchedFilm> {
  return { reference, bytes: await archive.retrieve(reference) };
}
