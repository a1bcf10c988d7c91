import type { Segment } from '../hl7/message';
import type { RisConfig } from './config';
import { DELETED } from './patient';

/** Segments of one order in a message. */
export interface Order {
  readonly orc: Segment | undefined;
  readonly obr: Segment | undefined;
  readonly timings: readonly Segment[];
  readonly procedures: readonly Segment[];
  readonly observations: readonly Segment[];
}

interface Group {
  orc?: Segment;
  obr?: Segment;
  readonly TQ1: Segment[];
  readonly IPC: Segment[];
  readonly OBX: Segment[];
}

/** Orders of a message. A new one begins with ORC, or with a second OBR. */
export function ordersOf(segments: readonly Segment[]): Order[] {
  const groups: Group[] = [];
  for (const segment of segments) {
    const { name } = segment;
    const last = groups.at(-1);
    if (name === 'ORC' || (name === 'OBR' && (last === undefined || last.obr !== undefined)))
      groups.push({ TQ1: [], IPC: [], OBX: [], ...(name === 'ORC' ? { orc: segment } : { obr: segment }) });
    else if (last !== undefined && name === 'OBR') last.obr = segment;
    else if (last !== undefined && (name === 'TQ1' || name === 'IPC' || name === 'OBX')) last[name].push(segment);
  }
  return groups.map(({ orc, obr, TQ1, IPC, OBX }) => ({
    orc,
    obr,
    timings: TQ1,
    procedures: IPC,
    observations: OBX,
  }));
}

/**
 * Accession number of an order; '' where it has none. IPC-1 is the standard field; others are configured. OBR-2 and
 * OBR-3 are the same as ORC-2 and ORC-3 (section 4.5.3).
 */
export function accessionOf({ orc, obr, procedures }: Order, field: RisConfig['accession']): string {
  const number = Number(field.slice('OBR-'.length));
  const found = [
    ...procedures.map((ipc) => ipc.text(1)),
    obr?.text(number) ?? '',
    number === 18 ? '' : (orc?.text(number) ?? ''),
  ];
  return found.find((text) => text !== '' && text !== DELETED) ?? '';
}

/** Priority codes of an order: TQ1-9, OBR-27.6, ORC-7.6; those that are present. */
export function priorityCodesOf({ orc, obr, timings }: Order): string[] {
  const found = [...timings.map((tq1) => tq1.text(9)), obr?.text(27, 6) ?? '', orc?.text(7, 6) ?? ''];
  return found.filter((code) => code !== '');
}

/**
 * Order control (table 0119) and order status (table 0038) codes for cancelled or discontinued orders, or requests for
 * it.
 */
const CANCELLED = ['CA', 'DC', 'OC', 'OD', 'CR', 'DR'];

export function isCancelled({ orc }: Order): boolean {
  return CANCELLED.includes(orc?.text(1) ?? '') || ['CA', 'DC'].includes(orc?.text(5) ?? '');
}
