import type { Code } from '../dicom/code';
import type { Dataset } from '../dicom/dataset';
import type { Uid } from '../dicom/uid';
import { codeItem } from './codes';

/** A node of an SR document tree (PS3.3 section C.17.3), with its relationship to the parent. */
export type ContentItem = Dataset;

export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS ACQ CONTEXT' | 'HAS CONCEPT MOD' | 'SELECTED FROM';

export interface ImageReference {
  readonly sopClassUid: Uid;
  readonly sopInstanceUid: Uid;
}

/**
 * (column, row) in pixels of the image, (0, 0) the top left corner of its top left pixel (PS3.3 section C.18.6.1.1).
 */
export type Point = readonly [column: number, row: number];

export function textItem(relationship: Relationship, concept: Code, value: string): ContentItem {
  return { ...node(relationship, 'TEXT', concept), TextValue: value };
}

export function codedItem(relationship: Relationship, concept: Code, value: Code): ContentItem {
  return { ...node(relationship, 'CODE', concept), ConceptCodeSequence: [codeItem(value)] };
}

export function uidItem(relationship: Relationship, concept: Code, uid: Uid): ContentItem {
  return { ...node(relationship, 'UIDREF', concept), UID: uid };
}

/** @param value written as Decimal String, up to 16 characters */
export function numberItem(relationship: Relationship, concept: Code, value: string, unit: Code): ContentItem {
  return {
    ...node(relationship, 'NUM', concept),
    MeasuredValueSequence: [{ NumericValue: value, MeasurementUnitsCodeSequence: [codeItem(unit)] }],
  };
}

/**
 * The concept may be missing only where the template has none: OHIF fails on an item without a concept directly inside
 * of a measurement group.
 */
export function imageItem(relationship: Relationship, concept: Code | null, image: ImageReference): ContentItem {
  return {
    ...node(relationship, 'IMAGE', concept),
    ReferencedSOPSequence: [
      { ReferencedSOPClassUID: image.sopClassUid, ReferencedSOPInstanceUID: image.sopInstanceUid },
    ],
  };
}

/** A closed outline on an image: a polyline whose last point is its first (PS3.3 section C.18.6.1.2). */
export function regionItem(
  relationship: Relationship,
  concept: Code,
  outline: readonly Point[],
  image: ImageReference,
): ContentItem {
  return {
    ...node(relationship, 'SCOORD', concept),
    GraphicType: 'POLYLINE',
    GraphicData: outline.flat(),
    ContentSequence: [imageItem('SELECTED FROM', null, image)],
  };
}

/** @param template number of its TID in DCMR, where the Standard requires it */
export function container(
  relationship: Relationship | null,
  concept: Code,
  template: string | null,
  children: readonly ContentItem[],
): ContentItem {
  return {
    ...node(relationship, 'CONTAINER', concept),
    ContinuityOfContent: 'SEPARATE',
    ...(template === null
      ? {}
      : { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] }),
    ContentSequence: children,
  };
}

function node(relationship: Relationship | null, valueType: string, concept: Code | null): ContentItem {
  return {
    ...(relationship === null ? {} : { RelationshipType: relationship }),
    ValueType: valueType,
    ...(concept === null ? {} : { ConceptNameCodeSequence: [codeItem(concept)] }),
  };
}
