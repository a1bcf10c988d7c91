import { z } from 'zod';
import type { Language } from './say';
import { LANGUAGE_NAMES } from './languages';

export const languageSchema = z
  .enum(['auto', ...LANGUAGE_NAMES])
  .default('auto')
  .describe(
    'Language of pages, e-mail and evaluation report: en, es, de or fr. auto: pages follow the browser, all else is ' +
      'English',
  );

export type ConfiguredLanguage = z.infer<typeof languageSchema>;

/** Language of texts without a reader's choice: e-mail and reports. */
export function languageOfTexts(configured: ConfiguredLanguage): Language {
  return configured === 'auto' ? 'en' : configured;
}
