import type { Segment } from '../hl7/message';
import { dateOf } from '../hl7/time';
import type { Demographics, PatientIdentifier } from './changes';

/** Two quotation marks: the sender deletes the value (HL7 v2.5.1 section 2.5.3). */
export const DELETED = '""';

/** Replacement for characters that are not in the message's character set. */
export const UNREADABLE = '\ufffd';

/** Identifiers in a CX field: PID-3 or MRG-1. @param authorities assigning authorities that count; empty: all */
export function identifiersOf(segment: Segment, field: number, authorities: readonly string[]): PatientIdentifier[] {
  return segment
    .repetitions(field)
    .map((component) => ({
      id: component(1),
      issuers: [component(4, 1), component(4, 2)].filter((name) => name !== ''),
    }))
    .filter(
      ({ id, issuers }) =>
        id !== '' &&
        id !== DELETED &&
        (authorities.length === 0 || issuers.some((issuer) => authorities.includes(issuer))),
    );
}

/** Name, birth date and sex in PID. */
export function demographicsOf(pid: Segment): Demographics {
  const [name, birthDate, sex] = [nameOf(pid), valueOf(pid.text(7), dateOf), valueOf(pid.text(8), sexOf)];
  return {
    ...(name === null ? {} : { PatientName: name }),
    ...(birthDate === null ? {} : { PatientBirthDate: birthDate }),
    ...(sex === null ? {} : { PatientSex: sex }),
  };
}

function valueOf(text: string, read: (text: string) => string | null): string | null {
  return text === DELETED ? '' : read(text);
}

/** Table 0001 mapped to PS3.3 section C.7.1.1; unknown (U) is left out. */
function sexOf(code: string): string | null {
  return ({ M: 'M', F: 'F', O: 'O', A: 'O', N: 'O' } as Record<string, string>)[code.toUpperCase()] ?? null;
}

type Components = ReturnType<Segment['repetitions']>[number];

/**
 * Converts XPN to PN: suffix and prefix change places; alphabetic, ideographic and phonetic repetitions become its
 * groups (PS3.5 section 6.2.1.1, HL7 v2.5.1 section 2.A.89). The legal name, else the first one. Null where there is
 * none.
 */
function nameOf(pid: Segment): string | null {
  const all = pid.repetitions(5);
  if (all[0]?.(1) === DELETED) return '';
  const legal = all.filter((component) => ['', 'L'].includes(component(7)));
  const names = (legal.length > 0 ? legal : all.slice(0, 1)).map((component) => ({
    group: Math.max(0, 'AIP'.indexOf(component(8) || 'A')),
    name: groupOf(component),
  }));
  const groups = [0, 1, 2].map(
    (group) => names.find((found) => found.group === group && found.name !== '')?.name ?? '',
  );
  return groups.join('=').replace(/=+$/, '') || null;
}

function groupOf(component: Components): string {
  const [family, given, middle, suffix, prefix] = [1, 2, 3, 4, 5].map((part) =>
    // A PN delimiter inside of a component would split it.
    component(part).replace(/[\\^=\p{Cc}]+/gu, ' '),
  );
  return [family, given, middle, prefix, suffix].join('^').replace(/\^+$/, '').slice(0, MAX_OF_A_GROUP);
}

/** PS3.5 section 6.2: a component group of PN has 64 characters at most. */
const MAX_OF_A_GROUP = 64;
