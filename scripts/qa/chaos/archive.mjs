/** A look at what Orthanc holds, by its own REST API and by none of Hilum's code. */
const TIMEOUT_MS = 120_000;
const AT_A_TIME = 8;

async function ask(url, pathname, body) {
  const response = await fetch(url + pathname, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`Orthanc answers ${response.status} to ${pathname}`);
  return response.json();
}

/** How many reports and how many instances there are; undefined while Orthanc is away. */
export async function countReports(url) {
  try {
    const [reports, { CountInstances: instances }] = [
      await ask(url, '/tools/find', { Level: 'Instance', Query: { Modality: 'SR' } }),
      await ask(url, '/statistics'),
    ];
    return { reports: reports.length, instances };
  } catch {
    return undefined;
  }
}

/**
 * Every instance with its study, modality, and what it refers to. An instance that is there twice is in the list twice.
 * @throws Error when Orthanc's own count is another one
 */
export async function listArchive(url) {
  const [studies, series, instances] = [
    await ask(url, '/studies?expand'),
    await ask(url, '/series?expand'),
    await ask(url, '/instances?expand'),
  ];
  const { CountInstances: count } = await ask(url, '/statistics');
  if (instances.length !== count) throw new Error(`Orthanc counts ${count} instances and lists ${instances.length}`);
  const studyOf = new Map(studies.map(({ ID, MainDicomTags }) => [ID, MainDicomTags.StudyInstanceUID]));
  const seriesOf = new Map(
    series.map((one) => [one.ID, { study: studyOf.get(one.ParentStudy), modality: one.MainDicomTags.Modality }]),
  );
  return inParts(instances, async ({ ID, ParentSeries, MainDicomTags }) => {
    const { study, modality } = seriesOf.get(ParentSeries);
    const isResult = modality === 'SR' || modality === 'OT';
    return {
      study,
      modality,
      sopInstanceUid: MainDicomTags.SOPInstanceUID,
      refersTo: isResult ? referencesOf(await ask(url, `/instances/${ID}/simplified-tags`)) : [],
    };
  });
}

/**
 * Evidence of a report (PS3.3 section C.17.2), source of a derived image (section C.7.6.1): SOP Instance UIDs, each
 * once.
 */
function referencesOf({ CurrentRequestedProcedureEvidenceSequence: evidence = [], SourceImageSequence: sources = [] }) {
  const items = evidence
    .flatMap(({ ReferencedSeriesSequence = [] }) => ReferencedSeriesSequence)
    .flatMap(({ ReferencedSOPSequence = [] }) => ReferencedSOPSequence);
  return [...new Set([...items, ...sources].map(({ ReferencedSOPInstanceUID }) => ReferencedSOPInstanceUID))];
}

async function inParts(list, work) {
  const found = [];
  for (let i = 0; i < list.length; i += AT_A_TIME)
    found.push(...(await Promise.all(list.slice(i, i + AT_A_TIME).map(work))));
  return found;
}
