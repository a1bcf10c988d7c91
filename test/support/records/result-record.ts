import { parseUid } from '../../../src/dicom/uid';
import type { ResultEvent } from '../../../src/events/result-event';
import { findingOf, type FindingRule } from '../../../src/finding/finding';
import type { FilmRecord, StudyRecord } from '../../../src/sinks/record';
import type { SinkDelivery } from '../../../src/sinks/sink';

const uid = (last: string) => parseUid(`1.2.826.0.1.3680043.8.498.${last}`);
const SR = parseUid('1.2.840.10008.5.1.4.1.1.88.34');

const RULE: FindingRule = {
  label: 'COVID-19',
  code: { scheme: 'SCT', value: '840539006', meaning: 'COVID-19' },
  operatingPoint: 0.5,
  mode: 'live',
};

/** An analysed film with another probability. */
export const withProbability = (film: FilmRecord, probability: number): FilmRecord => ({
  ...film,
  probability,
  findings: [findingOf(RULE, probability)],
});

/** One film of each kind: analysed and urgent, not analysed, rejected. */
const FILMS: readonly FilmRecord[] = [
  {
    sopInstanceUid: uid('1.1.1'),
    outcome: 'analysed',
    reason: null,
    reasonText: null,
    view: 'frontal',
    probability: 0.93,
    lungFraction: 0.31,
    outputs: [
      {
        sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.7'),
        seriesInstanceUid: uid('1.11'),
        sopInstanceUid: uid('1.11.1'),
      },
      { sopClassUid: SR, seriesInstanceUid: uid('1.13'), sopInstanceUid: uid('1.13.1') },
    ],
    seriesInstanceUid: uid('1.1'),
    sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.1.1'),
    modality: 'DX',
    viewPosition: 'PA',
    findings: [findingOf(RULE, 0.93)],
    remarks: ['the evidence may lie outside the lungs'],
  },
  {
    sopInstanceUid: uid('1.2.1'),
    outcome: 'not-analysed',
    reason: 'lateral-view',
    reasonText: 'the film looks like a lateral view; only frontal films are analysed',
    view: 'lateral',
    probability: null,
    lungFraction: null,
    outputs: [{ sopClassUid: SR, seriesInstanceUid: uid('1.23'), sopInstanceUid: uid('1.23.1') }],
    seriesInstanceUid: uid('1.2'),
    sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.1.1'),
    modality: 'DX',
    viewPosition: 'LL',
    findings: [],
    remarks: [],
  },
  {
    sopInstanceUid: uid('1.3.1'),
    outcome: 'rejected',
    reason: 'body-part',
    reasonText: 'the film is of HAND',
    view: null,
    probability: null,
    lungFraction: null,
    outputs: [],
    seriesInstanceUid: uid('1.3'),
    sopClassUid: parseUid('1.2.840.10008.5.1.4.1.1.1'),
    modality: 'CR',
    viewPosition: '',
    findings: [],
    remarks: [],
  },
];

/** What a whole study says, with text that wants escaping. */
export const RECORD: StudyRecord = {
  studyInstanceUid: uid('1'),
  patient: {
    PatientID: 'P|1^2',
    IssuerOfPatientID: 'HOSP',
    PatientName: 'Müller^Jörg^^Dr.',
    PatientBirthDate: '19700102',
    PatientSex: 'M',
  },
  study: {
    StudyID: 'S1',
    StudyDate: '20260301',
    StudyTime: '101500',
    TimezoneOffsetFromUTC: '+0100',
    StudyDescription: 'Thorax p.a. & seitlich',
    ReferringPhysicianName: 'Weiß^Anna',
    InstitutionName: 'St. Anna',
  },
  order: {
    AccessionNumber: 'A-77',
    AccessionNumberIssuer: 'RIS',
    PlacerOrderNumberImagingServiceRequest: 'PL-1',
    FillerOrderNumberImagingServiceRequest: 'FI-1',
    RequestedProcedureID: 'RP1',
    RequestedProcedureDescription: 'Röntgen Thorax',
  },
  priority: 'urgent',
  films: FILMS,
  models: [{ id: 'covid-vgg19-lungs', version: '1.0.0' }],
  softwareVersion: '0.1.0',
  completedAt: '2026-03-01T10:15:42.000Z',
  key: uid('9'),
};

/** The event that announces it. */
export const RESULT: ResultEvent = {
  schemaVersion: 1,
  type: 'study-result',
  studyInstanceUid: RECORD.studyInstanceUid,
  priority: RECORD.priority,
  films: FILMS.map(
    ({ sopInstanceUid, outcome, reason, reasonText, view, probability, lungFraction, findings, outputs }) => ({
      sopInstanceUid,
      outcome,
      reason,
      reasonText,
      view,
      probability,
      lungFraction,
      findings,
      outputs,
    }),
  ),
  skipped: [{ seriesInstanceUid: uid('1.4'), modality: 'CT', instances: 120 }],
  models: RECORD.models,
  completedAt: RECORD.completedAt,
};

/** As a sink is told of it. */
export const resultOf = (record: StudyRecord): SinkDelivery => ({ kind: 'result', record });
