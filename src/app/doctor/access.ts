import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CheckResult } from '../../base/check-result';
import type { Config } from '../../config/config';
import { isExposed } from '../../web/config';

const DAY_MS = 24 * 3600 * 1000;
const MIN_CERTIFICATE_DAYS = 30;

/**
 * Checks how the service can be reached. A forbidden setting is refused when the configuration is read; this reports
 * weak ones.
 */
export async function examineAccess(
  { http, access }: Pick<Config, 'http' | 'access'>,
  now = Date.now(),
): Promise<CheckResult[]> {
  const kind = isExposed(http) ? `others may come in by ${access.kind}` : 'only this machine is served';
  const plain =
    http.trustedProxies.length > 0 && http.tls === undefined
      ? '; the way from the proxy is not encrypted: keep it inside one machine or network, or give http.tls too'
      : '';
  const findings: CheckResult[] = [
    { check: 'access', ok: true, text: `${kind}${access.kind === 'none' ? ', without sign-in' : ''}${plain}` },
  ];
  return http.tls === undefined
    ? findings
    : [...findings, certificateFinding('access: certificate', http.tls.certFile, now)];
}

/** Checks that a certificate can be read and does not expire soon. */
export function certificateFinding(check: string, path: string, now = Date.now()): CheckResult {
  try {
    const { validTo } = new X509Certificate(readFileSync(path));
    const days = Math.floor((Date.parse(validTo) - now) / DAY_MS);
    const ok = days >= MIN_CERTIFICATE_DAYS;
    return {
      check,
      ok,
      text:
        days < 0
          ? `expired on ${validTo}: renew it`
          : `good for ${days} days, until ${validTo}${ok ? '' : ': renew it'}`,
    };
  } catch (error) {
    return {
      check,
      ok: false,
      text: `${path} is no readable certificate: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
