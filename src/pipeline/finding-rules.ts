import { HilumError } from '../base/errors';
import type { FindingSettings } from '../finding/config';
import type { FindingRule } from '../finding/finding';
import { type Head, headsOf, type ModelManifest } from '../model/manifest';

export interface SiteRules {
  readonly rules: FindingSettings['rules'];
  /** Operating point of the first finding, `classification.threshold`. */
  readonly first?: number | undefined;
}

/**
 * Rule of each head of each classifier; null where the head is not used.
 * @throws HilumError CONFIG_INVALID where the configured rules do not fit the classifiers, MODEL_INVALID where two
 * classifiers report the same finding
 */
export function findingRules(classifiers: readonly ModelManifest[], site: SiteRules): (FindingRule | null)[][] {
  const labels = classifiers.flatMap((manifest) => headsOf(manifest).map(({ label }) => label));
  const twice = labels.find((label, at) => labels.indexOf(label) < at);
  if (twice !== undefined)
    throw new HilumError(
      'MODEL_INVALID',
      'permanent',
      `two classifiers tell ${twice}: models.classifiers can have one`,
    );
  const unknown = site.rules.find(({ finding }) => !labels.includes(finding));
  if (unknown !== undefined)
    throw invalid(`there is no finding ${unknown.finding}; the classifiers tell ${labels.join(', ')}`);
  const rules = classifiers.map((manifest, at) =>
    headsOf(manifest).map((head, index) => ruleOf(head, manifest, site, at + index === 0)),
  );
  const used = rules.flat().filter((rule) => rule !== null);
  if (used.length === 0) throw invalid('no finding is left: one must not be off');
  for (const rule of used) {
    const other = used.find(({ code }) => code.value === rule.code.value && code.scheme === rule.code.scheme)!;
    if (other !== rule)
      throw invalid(`${other.label} and ${rule.label} have the same code, by which others know them: set one to off`);
  }
  return rules;
}

function ruleOf(head: Head, { id }: ModelManifest, { rules, first }: SiteRules, isFirst: boolean): FindingRule | null {
  const own = rules.find(({ finding }) => finding === head.label);
  const mode = own?.mode ?? head.mode;
  if (mode === 'off') return null;
  if (mode === 'live' && head.mode === 'shadow')
    throw invalid(`${head.label} of ${id} can't be live: ${head.reason ?? 'its operating point was never validated'}`);
  // A classifier without codes is refused elsewhere (model-compatibility.ts).
  return {
    label: head.label,
    code: head.code!,
    operatingPoint: own?.threshold ?? (isFirst ? first : undefined) ?? head.operatingPoint.threshold,
    mode,
    ...(own?.priority === 'routine' ? { priority: 'routine' } : {}),
  };
}

function invalid(text: string): HilumError {
  return new HilumError('CONFIG_INVALID', 'permanent', `findings.rules: ${text}`);
}
