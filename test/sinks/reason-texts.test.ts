import { text } from '../../src/dicom/attributes';
import { readPart10 } from '../../src/dicom/read';
import { NOT_ANALYSED_REASONS } from '../../src/events/closed-lists';
import { REASON_TEXTS, reasonTextOf } from '../../src/finding/wording';
import { reportOf } from '../../src/objects/film-result';
import { readReport } from '../../src/objects/report-reader';
import { syntheticDicom } from '../../src/objects/synthetic-film';
import { emailMessage } from '../../src/sinks/email/message';
import { encodeBundle } from '../../src/sinks/fhir/message';
import { hl7Schema } from '../../src/sinks/hl7/config';
import { encodeOru } from '../../src/sinks/hl7/message';
import { loadRecord, type RecordArchive } from '../../src/sinks/load-record';
import { metadataChanges } from '../../src/sinks/orthanc-metadata/message';
import type { StudyRecord } from '../../src/sinks/record';
import { webhookMessage } from '../../src/sinks/webhook/message';
import { readStoredRecord } from '../../src/worklist/stored-findings';
import { recordColumns } from '../../src/worklist/record-columns';
import { rebuildRecord } from '../../src/worklist/rebuild';
import { fakePipeline, MemoryAnnouncer, MemoryArchive, runStudyHere } from '../support/pipeline/fake-pipeline';

/** Words of the header that a refusal quotes; SMITH is in no other attribute. */
const QUOTED: readonly (readonly [reason: string, attributes: Readonly<Record<string, string>>])[] = [
  ['body-part', { BodyPartExamined: 'RIBS SMITH', StudyDescription: '', SeriesDescription: '', ProtocolName: '' }],
  ['lateral-view', { ViewPosition: 'SMITH OBL' }],
  ['undecodable', { PhotometricInterpretation: 'SMITH' }],
];

class DescribedArchive extends MemoryArchive {
  describe(): ReturnType<RecordArchive['describe']> {
    return Promise.resolve(null);
  }

  async findSeries(study: Parameters<MemoryArchive['findInstances']>[0]) {
    return (await this.findInstances(study)).map(({ seriesInstanceUid, modality }) => ({
      seriesInstanceUid,
      modality,
      description: '',
    }));
  }
}

async function announced(attributes: Readonly<Record<string, string>>) {
  const [archive, announcer] = [new DescribedArchive(), new MemoryAnnouncer()];
  const { studyInstanceUid: study } = archive.put(
    syntheticDicom({ seed: 5, view: 'PA', rows: 200, columns: 170, attributes }),
  );
  await runStudyHere(study, { redelivered: true }, fakePipeline().pipeline, { archive, announcer });
  return { archive, study, event: announcer.events[0]! };
}

/** All that leaves for other systems and people. */
function told(record: StudyRecord): string {
  const messages = [
    encodeOru(record, hl7Schema.parse({})).toString(),
    encodeBundle(record, { patientSystem: undefined, accessionSystem: undefined, placerSystem: undefined }),
    webhookMessage(record, true),
    emailMessage(record, { from: 'a@b', includePatient: true }),
    metadataChanges(record, { priority: '', probability: '', written: '' }),
    recordColumns(record),
  ];
  return JSON.stringify(messages);
}

test.each(QUOTED)('%s: words of the film stand in its report, and nowhere else', async (reason, attributes) => {
  const { archive, study, event } = await announced(attributes);
  const film = event.films[0]!;
  expect([film.reason, film.reasonText]).toEqual([reason, reasonTextOf(reason)]);
  expect(JSON.stringify(event)).not.toContain('SMITH');
  const record = await loadRecord(event, archive);
  expect(told(record)).not.toContain('SMITH');
  expect(told(record)).toContain(reasonTextOf(reason)!);
  const report = reportOf(film);
  if (report === undefined) return;
  const { attributes: written } = readPart10(archive.objects.get(report.sopInstanceUid)!.bytes);
  expect(readReport(written).reasonText).toContain('SMITH');
  expect(text(written, 'Modality')).toBe('SR');
  expect(told((await rebuildRecord(study, archive))!)).not.toContain('SMITH');
});

test('what an earlier version announced or stored with words of the film is told by its code', async () => {
  const { archive, event } = await announced({ ViewPosition: 'LL' });
  const old = { ...event, films: event.films.map((film) => ({ ...film, reasonText: 'view position SMITH OBL' })) };
  const record = await loadRecord(old, archive);
  expect(told(record)).not.toContain('SMITH');
  const stored = { ...record, films: record.films.map((film) => ({ ...film, reasonText: 'SMITH' })) };
  expect(readStoredRecord(JSON.stringify(stored)).films[0]!.reasonText).toBe(REASON_TEXTS['lateral-view']);
});

test('each reason has its own sentence, which fits behind "because"', () => {
  const texts = NOT_ANALYSED_REASONS.map((reason) => REASON_TEXTS[reason]);
  expect(new Set(texts).size).toBe(texts.length);
  for (const sentence of texts) expect(sentence).toMatch(/^(the|what) .*[^.]$/);
  expect([reasonTextOf(null), reasonTextOf('of a later version'), reasonTextOf('toString')]).toEqual([
    null,
    null,
    null,
  ]);
});
