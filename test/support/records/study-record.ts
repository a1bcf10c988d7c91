import { deriveUid } from '../../../src/dicom/uid';
import { SOP_CLASSES } from '../../../src/objects/sop-classes';
import type { FilmRecord, StudyRecord } from '../../../src/sinks/record';
import { covid } from './finding';

/** An analysed film whose UIDs follow from `name`. */
export function filmRecord(name: string, overrides: Partial<FilmRecord> = {}): FilmRecord {
  const { probability = 0.9 } = overrides;
  return {
    sopInstanceUid: deriveUid(['film', name]),
    seriesInstanceUid: deriveUid(['series', name]),
    sopClassUid: deriveUid(['class']),
    modality: 'DX',
    viewPosition: 'PA',
    outcome: 'analysed',
    reason: null,
    reasonText: null,
    view: 'frontal',
    probability,
    lungFraction: 0.3,
    findings: probability === null ? [] : [covid(probability, { operatingPoint: 0.5 })],
    remarks: [],
    outputs: [
      {
        sopClassUid: SOP_CLASSES.heatMap,
        seriesInstanceUid: deriveUid(['heat-series', name]),
        sopInstanceUid: deriveUid(['heat', name]),
      },
    ],
    ...overrides,
  };
}

/** A result as the archive gives it; UIDs follow from `name`. */
export function studyRecord(name: string, overrides: Partial<StudyRecord> = {}): StudyRecord {
  return {
    studyInstanceUid: deriveUid(['study', name]),
    patient: {
      PatientID: `ID-${name}`,
      IssuerOfPatientID: '',
      PatientName: `Müller^${name}`,
      PatientBirthDate: '19500203',
      PatientSex: 'F',
    },
    study: {
      StudyID: '1',
      StudyDate: '20260301',
      StudyTime: '101500',
      TimezoneOffsetFromUTC: '',
      StudyDescription: 'Thorax p.a.',
      ReferringPhysicianName: '',
      InstitutionName: '',
    },
    order: {
      AccessionNumber: `A-${name}`,
      AccessionNumberIssuer: '',
      PlacerOrderNumberImagingServiceRequest: '',
      FillerOrderNumberImagingServiceRequest: '',
      RequestedProcedureID: '',
      RequestedProcedureDescription: '',
    },
    priority: 'urgent',
    films: [filmRecord(name)],
    models: [{ id: 'covid', version: '1.0.0' }],
    softwareVersion: '0.1.0',
    completedAt: '2026-03-01T10:15:42.000Z',
    key: deriveUid(['key', name]),
    ...overrides,
  };
}
