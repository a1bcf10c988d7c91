import type { Attributes } from '../dicom/attributes';
import { itemsOf, type Module, moduleProblems, valuesOf } from './validate-modules';

const VALUES = ['TEXT', 'CODE', 'NUM', 'DATETIME', 'DATE', 'TIME', 'UIDREF', 'PNAME'];
const CONTEXT = [...VALUES, 'COMPOSITE'];
const ANY = [...CONTEXT, 'IMAGE', 'WAVEFORM', 'SCOORD', 'TCOORD', 'CONTAINER'];
const STATEMENTS = ['TEXT', 'CODE', 'NUM'];

/**
 * Allowed relationships (PS3.3 table A.35.3-2, and A.35.13-2 without SCOORD3D, which is not written): [from,
 * relationship, to].
 */
const RELATIONSHIPS: readonly (readonly [from: readonly string[], relationship: string, to: readonly string[]])[] = [
  [['CONTAINER'], 'CONTAINS', ANY],
  [['CONTAINER', ...STATEMENTS], 'HAS OBS CONTEXT', CONTEXT],
  [['CONTAINER', 'IMAGE', 'WAVEFORM', 'COMPOSITE', 'NUM'], 'HAS ACQ CONTEXT', [...VALUES, 'CONTAINER']],
  [ANY, 'HAS CONCEPT MOD', ['TEXT', 'CODE']],
  [STATEMENTS, 'HAS PROPERTIES', ANY],
  [STATEMENTS, 'INFERRED FROM', ANY],
  [['SCOORD'], 'SELECTED FROM', ['IMAGE']],
  [['TCOORD'], 'SELECTED FROM', ['SCOORD', 'IMAGE', 'WAVEFORM']],
];

const CONCEPT: Module = [['ConceptNameCodeSequence', 1]];
const REFERENCE: Module = [
  [
    'ReferencedSOPSequence',
    1,
    {
      items: [
        ['ReferencedSOPClassUID', 1],
        ['ReferencedSOPInstanceUID', 1],
      ],
      count: 1,
    },
  ],
];
/** Attributes of each value type (sections C.17.3 and C.18); types that are missing here are not written. */
const NEEDS: Readonly<Record<string, Module | undefined>> = {
  CONTAINER: [...CONCEPT, ['ContinuityOfContent', 1, ['SEPARATE', 'CONTINUOUS']]],
  TEXT: [...CONCEPT, ['TextValue', 1]],
  CODE: [...CONCEPT, ['ConceptCodeSequence', 1]],
  NUM: [
    ...CONCEPT,
    [
      'MeasuredValueSequence',
      1,
      {
        items: [
          ['NumericValue', 1],
          ['MeasurementUnitsCodeSequence', 1],
        ],
        count: 1,
      },
    ],
  ],
  UIDREF: [...CONCEPT, ['UID', 1]],
  IMAGE: REFERENCE,
  SCOORD: [
    ['GraphicType', 1, ['POINT', 'MULTIPOINT', 'POLYLINE', 'CIRCLE', 'ELLIPSE']],
    ['GraphicData', 1],
  ],
};

/**
 * Checks the document tree of an SR (PS3.3 section C.17.3), and that its evidence names everything that it refers to
 * (section C.17.2).
 */
export function contentTreeProblems(root: Attributes): string[] {
  const evidence = new Set(
    itemsOf(root, 'CurrentRequestedProcedureEvidenceSequence')
      .flatMap((study) => itemsOf(study, 'ReferencedSeriesSequence'))
      .flatMap(instancesOf),
  );
  const start = root.ValueType === 'CONTAINER' ? [] : ['ValueType of the document is not CONTAINER'];
  return [...start, ...nodeProblems(root, '', evidence)];
}

function nodeProblems(node: Attributes, path: string, evidence: ReadonlySet<unknown>): string[] {
  const needs = NEEDS[String(node.ValueType)];
  if (needs === undefined) return [`${path}ValueType is none that Hilum writes`];
  return [
    ...moduleProblems(needs, node, path),
    ...(node.ValueType === 'SCOORD' ? outlineProblems(node, path) : []),
    ...(instancesOf(node).every((instance) => evidence.has(instance))
      ? []
      : [`${path}ReferencedSOPSequence is not in the evidence`]),
    ...itemsOf(node, 'ContentSequence').flatMap((child, index) => {
      const place = `${path}ContentSequence[${index}].`;
      return [...relationshipProblems(node, child, place), ...nodeProblems(child, place, evidence)];
    }),
  ];
}

function relationshipProblems(parent: Attributes, child: Attributes, place: string): string[] {
  const allowed = RELATIONSHIPS.some(
    ([from, relationship, to]) =>
      relationship === child.RelationshipType &&
      from.includes(String(parent.ValueType)) &&
      to.includes(String(child.ValueType)),
  );
  return allowed ? [] : [`${place}RelationshipType does not allow this child of its parent`];
}

/** Section C.18.6.1.2: pairs of column and row; a region is closed. */
function outlineProblems(node: Attributes, path: string): string[] {
  const data = valuesOf(node.GraphicData);
  const closed =
    node.GraphicType !== 'POLYLINE' || (data[0] === data[data.length - 2] && data[1] === data[data.length - 1]);
  const selected = itemsOf(node, 'ContentSequence').some((child) => child.RelationshipType === 'SELECTED FROM');
  return [
    ...(data.length % 2 === 0 && closed ? [] : [`${path}GraphicData is no closed outline`]),
    ...(selected ? [] : [`${path}ContentSequence does not say on which image the region lies`]),
  ];
}

function instancesOf(item: Attributes): unknown[] {
  return itemsOf(item, 'ReferencedSOPSequence').map((reference) => reference.ReferencedSOPInstanceUID);
}
