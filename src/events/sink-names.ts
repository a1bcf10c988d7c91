/**
 * Where results may be delivered to: a closed list, each the last part of its queue's name and its key in the metrics
 * (docs/deliveries.md).
 */
export const SINK_NAMES = ['list', 'hl7', 'fhir', 'ups', 'metadata', 'webhook', 'email'] as const;
export type SinkName = (typeof SINK_NAMES)[number];
