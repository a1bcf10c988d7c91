import { headerOfFile } from '../../src/archive/film-header';
import { HilumError } from '../../src/base/errors';
import { text } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import type { Uid } from '../../src/dicom/uid';
import { parseResultEvent, type ResultEvent } from '../../src/events/result-event';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { type FilmHeader, loadCurrentRecord, loadRecord } from '../../src/sinks/load-record';
import { metadataChanges } from '../../src/sinks/orthanc-metadata/message';
import { rebuildRecord } from '../../src/worklist/rebuild';
import { rejectionNote } from '../support/films/rejection-note';
import {
  checkedPipeline,
  fakePipeline,
  MemoryAnnouncer,
  MemoryArchive,
  runStudyHere,
} from '../support/pipeline/fake-pipeline';
import { covid } from '../support/records/finding';

/** The header as a server gives it, from the file in memory. */
class RecordMemory extends MemoryArchive {
  described = 0;

  async describe({ sopInstanceUid }: { sopInstanceUid: Uid }): Promise<FilmHeader | null> {
    this.described++;
    const bytes = this.objects.get(sopInstanceUid)?.bytes;
    return bytes === undefined ? null : headerOfFile(bytes);
  }

  async findSeries(study: Uid) {
    const series = new Map((await this.findInstances(study)).map((instance) => [instance.seriesInstanceUid, instance]));
    return [...series.values()].map(({ seriesInstanceUid, modality, sopInstanceUid }) => ({
      seriesInstanceUid,
      modality,
      description: text(readPart10(this.objects.get(sopInstanceUid)!.bytes).attributes, 'SeriesDescription') ?? '',
    }));
  }
}

const OPTIONS = { redelivered: false, attempt: 1, reanalyze: false, shouldReturn: () => false };

const IDENTIFIED = {
  PatientID: 'P\\1',
  IssuerOfPatientID: 'HOSP',
  TimezoneOffsetFromUTC: '+0100',
  AccessionNumber: 'A\\77',
  IssuerOfAccessionNumberSequence: [{ LocalNamespaceEntityID: 'RIS' }],
  RequestAttributesSequence: [
    {
      PlacerOrderNumberImagingServiceRequest: 'PL1',
      FillerOrderNumberImagingServiceRequest: 'FI1',
      RequestedProcedureID: 'RP1',
    },
  ],
};

async function analysed(
  pipeline = fakePipeline().pipeline,
): Promise<{ archive: RecordMemory; event: ResultEvent; film: Uid; study: Uid }> {
  const archive = new RecordMemory();
  const { studyInstanceUid: study, sopInstanceUid: film } = archive.put(
    syntheticDicom({ seed: 7, view: 'PA', rows: 320, columns: 280, attributes: IDENTIFIED }),
  );
  const announcer = new MemoryAnnouncer();
  await runStudyHere(study, OPTIONS, pipeline, { archive, announcer });
  return { archive, event: announcer.events[0]!, film, study };
}

const reportUid = (event: ResultEvent) => event.films[0]!.outputs.at(-1)!.sopInstanceUid;

test('patient, study and order come from the film, threshold and finding from the report', async () => {
  const { archive, event, film, study } = await analysed();
  const { attributes, sopClassUid } = readPart10(archive.objects.get(film)!.bytes);
  const record = await loadRecord(event, archive);
  expect(record).toMatchObject({
    studyInstanceUid: study,
    patient: {
      PatientID: 'P\\1',
      IssuerOfPatientID: 'HOSP',
      PatientName: text(attributes, 'PatientName'),
    },
    order: {
      AccessionNumber: 'A\\77',
      AccessionNumberIssuer: 'RIS',
      PlacerOrderNumberImagingServiceRequest: 'PL1',
    },
    priority: 'urgent',
    softwareVersion: '0.0.1',
    completedAt: event.completedAt,
  });
  expect(record.films).toEqual([
    {
      ...event.films[0],
      seriesInstanceUid: text(attributes, 'SeriesInstanceUID'),
      sopClassUid,
      modality: text(attributes, 'Modality'),
      viewPosition: text(attributes, 'ViewPosition') ?? '',
      findings: [covid(event.films[0]!.probability!, { operatingPoint: 0.5 })],
      remarks: [],
    },
  ]);
  expect(record.models.map(({ id }) => id)).toEqual(['view', 'gate', 'lungs', 'covid']);
  expect(record.patient.PatientID).not.toBe('');
});

test('a message of version 0.1, which has no findings, gets those of the report', async () => {
  const { archive, event } = await analysed();
  const old = { ...event, films: event.films.map((film) => ({ ...film, findings: [] })) };
  expect((await loadRecord(old, archive)).films[0]!.findings).toEqual(event.films[0]!.findings);
});

test('the key is the same at another time and another for another result', async () => {
  const { archive, event } = await analysed();
  const { key } = await loadRecord(event, archive);
  expect((await loadRecord({ ...event, completedAt: '2030-01-01T00:00:00.000Z' }, archive)).key).toBe(key);
  expect(
    (
      await loadRecord(
        { ...event, films: [{ ...event.films[0]!, outcome: 'rejected', reason: 'unreadable' }] },
        archive,
      )
    ).key,
  ).not.toBe(key);
});

test("a deleted report leaves the event's facts; with the film gone too, nothing of the patient", async () => {
  const { archive, event, film } = await analysed();
  archive.objects.delete(reportUid(event));
  const record = await loadRecord(event, archive);
  expect(record.films[0]).toMatchObject({
    probability: event.films[0]!.probability,
    findings: event.films[0]!.findings,
    modality: 'CR',
    seriesInstanceUid: expect.any(String) as string,
  });
  expect(record.models).toEqual(event.models);
  archive.objects.delete(film);
  expect(await loadRecord(event, archive)).toMatchObject({
    patient: { PatientID: '' },
    films: [{ seriesInstanceUid: null, modality: '' }],
    key: record.key,
  });
});

test('with the film gone, the report tells of patient and study', async () => {
  const { archive, event, film } = await analysed();
  const before = await loadRecord(event, archive);
  archive.objects.delete(film);
  const record = await loadRecord(event, archive);
  expect([record.patient, record.study]).toEqual([before.patient, before.study]);
  expect(record.order).toMatchObject({ AccessionNumber: 'A\\77', AccessionNumberIssuer: 'RIS' });
  expect([record.patient.IssuerOfPatientID, record.study.TimezoneOffsetFromUTC]).toEqual(['HOSP', '+0100']);
});

test('a rejected film has no report: the archive tells where it is', async () => {
  const { archive, event, film } = await analysed();
  const rejected: ResultEvent = {
    ...event,
    priority: null,
    films: [
      {
        ...event.films[0]!,
        outcome: 'rejected',
        reason: 'body-part',
        reasonText: 'x',
        view: null,
        probability: null,
        lungFraction: null,
        findings: [],
        outputs: [],
      },
    ],
  };
  expect((await loadRecord(rejected, archive)).films[0]).toMatchObject({
    sopInstanceUid: film,
    modality: 'CR',
    findings: [],
    seriesInstanceUid: archive.objects.get(film)!.reference.seriesInstanceUid,
  });
});

test('an archive that is away is not taken for a report that was deleted', async () => {
  const { archive, event } = await analysed();
  archive.before = () => {
    throw new HilumError('ARCHIVE_UNREACHABLE', 'transient', 'away');
  };
  await expect(loadRecord(event, archive)).rejects.toMatchObject({ code: 'ARCHIVE_UNREACHABLE' });
});

test('a record rebuilt from the archive alone is the one that the event made, but for the moment', async () => {
  const { archive, event, study } = await analysed();
  const { completedAt, ...record } = await loadRecord(event, archive);
  const { completedAt: rebuiltAt, ...rebuilt } = (await rebuildRecord(study, archive))!;
  expect(rebuilt).toEqual(record);
  expect(rebuiltAt).toBe('2026-01-02T03:04:05.000Z');
  expect(Number.isNaN(Date.parse(completedAt))).toBe(false);
});

test("a film's warnings reach the record of the sinks from the event, the rebuilt one from its report", async () => {
  const { archive, event, study } = await analysed(checkedPipeline(0.9, 0.7));
  const told = parseResultEvent(Buffer.from(JSON.stringify(event)));
  for (const record of [await loadRecord(told, archive), await rebuildRecord(study, archive)])
    expect(record?.films.map(({ warnings }) => warnings)).toEqual([['evidence-outside-lungs']]);
});

test('a warning of a later version is left out of what is read', async () => {
  const { event } = await analysed();
  const later = { ...event, films: [{ ...event.films[0]!, warnings: ['of-tomorrow', 'evidence-outside-lungs'] }] };
  const [film] = parseResultEvent(Buffer.from(JSON.stringify(later))).films;
  expect(film!.warnings).toEqual(['evidence-outside-lungs']);
});

describe('a film that was overwritten under its UID', () => {
  const overwritten = async (attributes: Record<string, unknown> = {}) => {
    const before = await analysed();
    const { archive, study, film } = before;
    const { reference } = archive.objects.get(film)!;
    archive.objects.delete(film);
    archive.put(
      syntheticDicom({
        seed: 8,
        view: 'PA',
        rows: 320,
        columns: 280,
        attributes: {
          StudyInstanceUID: study,
          SeriesInstanceUID: reference.seriesInstanceUid,
          SOPInstanceUID: film,
          ...attributes,
        },
      }),
    );
    const announcer = new MemoryAnnouncer();
    const { pipeline } = fakePipeline({ probability: 0.1 });
    await runStudyHere(study, { ...OPTIONS, compare: true }, pipeline, { archive, announcer });
    return { ...before, later: announcer.events[0]! };
  };

  test('the later result is told with what it takes the place of; the earlier one, late or replayed, is not', async () => {
    const { archive, event, later } = await overwritten();
    expect(await loadCurrentRecord(event, archive)).toBeNull();
    expect(await loadCurrentRecord(later, archive)).toMatchObject({
      priority: 'routine',
      supersededPriority: 'urgent',
      films: [{ supersedes: [reportUid(event)], earlier: event.films }],
    });
    archive.objects.delete(reportUid(event));
    const unread = await loadCurrentRecord(later, archive);
    expect(unread).not.toHaveProperty('supersededPriority');
    expect(unread!.films[0]).not.toHaveProperty('earlier');
  });

  test('a result that was taken back and then given again is told again, under another key', async () => {
    const { archive, event, later } = await overwritten();
    const takenBack: ResultEvent = {
      ...event,
      films: [{ ...event.films[0]!, outcome: 'rejected', outputs: [], supersedes: [reportUid(event)] }],
    };
    expect(await loadCurrentRecord(takenBack, archive)).toBeNull();
    const again = {
      ...takenBack,
      films: [{ ...takenBack.films[0]!, supersedes: [reportUid(event), reportUid(later)] }],
    };
    const record = await loadCurrentRecord(again, archive);
    expect(record).not.toBeNull();
    expect(record!.key).not.toBe((await loadRecord(takenBack, archive)).key);
  });

  test('with no film of the chest: the earlier result is told no more, the later one has a report', async () => {
    const hand = { BodyPartExamined: 'HAND', SeriesDescription: 'hand', StudyDescription: 'hand' };
    const { archive, study, event, later } = await overwritten(hand);
    expect(await loadCurrentRecord(event, archive)).toBeNull();
    expect(await loadCurrentRecord(later, archive)).toMatchObject({ priority: null, supersededPriority: 'urgent' });
    expect(later.films[0]!.outputs).toHaveLength(1);
    expect(await rebuildRecord(study, archive)).toMatchObject({ priority: null, films: [{ reason: 'body-part' }] });
  });

  test('the list is rebuilt with the later result, whatever the clocks said', async () => {
    const { archive, study, later } = await overwritten();
    expect(await rebuildRecord(study, archive)).toMatchObject({
      priority: 'routine',
      key: (await loadRecord(later, archive)).key,
      films: [{ supersedes: later.films[0]!.supersedes }],
    });
  });
});

describe('a film that was rejected', () => {
  const rejected = async (titles: readonly string[]) => {
    const found = await analysed();
    const { archive, study, film } = found;
    const announcer = new MemoryAnnouncer();
    const { reference } = archive.objects.get(film)!;
    for (const title of titles) {
      archive.put(rejectionNote(title, [reference]));
      await runStudyHere(study, { ...OPTIONS, compare: true }, fakePipeline().pipeline, { archive, announcer });
    }
    return { ...found, withdrawal: announcer.events.at(-1)! };
  };

  test.each([[['113001']], [['113001', '113038']]])(
    'what was told of it before goes with its withdrawal, however often it was rejected (%j)',
    async (titles) => {
      const { archive, event, withdrawal } = await rejected(titles);
      const { view, findings, lungFraction } = event.films[0]!;
      expect(await loadCurrentRecord(withdrawal, archive)).toMatchObject({
        priority: null,
        supersededPriority: 'urgent',
        films: [{ withdrawn: { view, findings, lungFraction } }],
      });
      const { earlier } = (await loadCurrentRecord(withdrawal, archive))!.films[0]!;
      expect(earlier!.map(({ reason }) => reason)).toEqual([null, 'rejected-for-quality'].slice(0, titles.length));
      expect(await loadCurrentRecord(event, archive)).toBeNull();
    },
  );

  test('hidden by the archive: patient and order come from the report of the withdrawal', async () => {
    const { archive, film, event, withdrawal } = await rejected(['113037']);
    const before = await loadRecord(event, archive);
    archive.objects.delete(film);
    const record = await loadRecord(withdrawal, archive);
    expect([record.patient, record.study]).toEqual([before.patient, before.study]);
    expect(record.order).toMatchObject({ AccessionNumber: 'A\\77', AccessionNumberIssuer: 'RIS' });
    expect(record.films[0]!.seriesInstanceUid).toBe(before.films[0]!.seriesInstanceUid);
  });

  test('the list is rebuilt without the result', async () => {
    const { archive, study, withdrawal } = await rejected(['113039']);
    expect(await rebuildRecord(study, archive)).toMatchObject({
      priority: null,
      key: (await loadRecord(withdrawal, archive)).key,
      films: [{ reason: 'retention-expired', supersedes: withdrawal.films[0]!.supersedes }],
    });
  });
});

describe('a film that came after the event was made', () => {
  const LATER = { seed: 8, view: 'PA', rows: 320, columns: 280, instance: 2 } as const;
  /** A routine film, then an urgent one, each with the event of its time. */
  const grown = async () => {
    const before = await analysed(fakePipeline({ probability: 0.1 }).pipeline);
    const { archive, study, event } = before;
    const second = archive.put(syntheticDicom({ ...LATER, studyInstanceUid: study }));
    const announcer = new MemoryAnnouncer();
    await runStudyHere(study, OPTIONS, fakePipeline().pipeline, { archive, announcer });
    return { ...before, first: event, second, whole: announcer.events[0]!, announcer };
  };
  const filmsOf = ({ films }: Pick<ResultEvent, 'films'>) => films.map(({ sopInstanceUid }) => sopInstanceUid).sort();

  test('the event without it, come late or replayed, is told with it, as a repetition of the whole one', async () => {
    const { archive, first, whole } = await grown();
    expect([first.priority, whole.priority, whole.films.length]).toEqual(['routine', 'urgent', 2]);
    const [late, told] = [await loadCurrentRecord(first, archive), await loadCurrentRecord(whole, archive)];
    expect(late).toMatchObject({ priority: 'urgent', key: told!.key });
    expect(filmsOf(late!)).toEqual(filmsOf(whole));
    const written = metadataChanges(told!, { priority: '', probability: '', written: '' })!;
    const there = { priority: '', probability: '', written: '', ...Object.fromEntries(written) };
    expect(there.priority).toBe('HIGH');
    expect(metadataChanges(late!, there)).toEqual([]);
  });

  test('an urgent film is told though the study of the later one is never announced', async () => {
    const { archive, whole, second } = await grown();
    const urgent = {
      ...whole,
      films: whole.films.filter(({ sopInstanceUid }) => sopInstanceUid === second.sopInstanceUid),
    };
    const record = await loadCurrentRecord(urgent, archive);
    expect(record!.priority).toBe('urgent');
    expect(filmsOf(record!)).toEqual(filmsOf(whole));
  });

  test.each([['deleted'], ['not to be read']])('nothing is added where it is %s', async (how) => {
    const { archive, first, whole, second, film } = await grown();
    const report = whole.films.find(({ sopInstanceUid }) => sopInstanceUid === second.sopInstanceUid)!.outputs.at(-1)!;
    const { reference, bytes } = archive.objects.get(report.sopInstanceUid)!;
    if (how === 'deleted') archive.objects.delete(second.sopInstanceUid);
    else
      archive.objects.set(report.sopInstanceUid, {
        reference,
        bytes: Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('analysed', 'tomorrow'), 'latin1'),
      });
    expect(await loadCurrentRecord(first, archive)).toMatchObject({
      priority: 'routine',
      films: [{ sopInstanceUid: film }],
    });
  });

  test.each([['listed'], ['hidden']])('rejected meanwhile and %s, it is told as in the whole event', async (how) => {
    const { archive, study, first, second, announcer } = await grown();
    archive.put(rejectionNote('113001', [second]));
    if (how === 'hidden') archive.objects.delete(second.sopInstanceUid);
    await runStudyHere(study, { ...OPTIONS, compare: true }, fakePipeline().pipeline, { archive, announcer });
    const [late, told] = [
      await loadCurrentRecord(first, archive),
      await loadCurrentRecord(announcer.events.at(-1)!, archive),
    ];
    expect(late).toMatchObject({ priority: 'routine', supersededPriority: 'urgent', key: told!.key });
  });

  test('the event that told of it without a report is told with the report', async () => {
    const { archive, whole, first, second } = await grown();
    const [film] = first.films;
    const rejected = { ...film!, outcome: 'rejected', reason: 'body-part', outputs: [], findings: [] } as const;
    const late = { ...first, films: [film!, { ...rejected, sopInstanceUid: second.sopInstanceUid }] };
    expect(await loadCurrentRecord(late, archive)).toMatchObject({
      priority: 'urgent',
      key: (await loadRecord(whole, archive)).key,
    });
  });
});

test('a study without a report of ours has nothing to rebuild', async () => {
  const { archive, event, study } = await analysed();
  archive.objects.delete(reportUid(event));
  expect(await rebuildRecord(study, archive)).toBeNull();
});
