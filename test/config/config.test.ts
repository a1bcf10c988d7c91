import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { describeError, describeFailure, HilumError } from '../../src/base/errors';
import { configSchema, parseConfig, readConfig } from '../../src/config/config';
import { applyThreshold } from '../../src/evaluation/apply-threshold';
import { ROLES } from '../../src/config/roles';
import { RULE_KEYWORDS } from '../../src/triage/config';

const MINIMAL = { archive: { url: 'http://localhost:8042/dicom-web' }, broker: { url: 'amqp://localhost' } };

function problemsOf(raw: unknown): string {
  try {
    parseConfig(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(HilumError);
    return (error as Error).message;
  }
  throw new Error('accepted');
}

test('two addresses are enough, the rest has defaults', () => {
  const config = parseConfig(MINIMAL);
  expect(config.broker).toMatchObject({
    prefix: 'hilum',
    prefetch: 'auto',
    retryDelaysMs: [5_000, 30_000, 300_000, 1_800_000],
  });
  expect(config.http).toEqual({ host: '127.0.0.1', port: 8080, trustedProxies: [], maxConnections: 1_000 });
  expect(config.access.kind).toBe('none');
});

test('every problem is named at once, with its path', () => {
  const text = problemsOf({
    archive: { url: 'ftp://x', typo: 1, auth: { kind: 'basic', username: 'a' } },
    broker: { prefetch: 0 },
    what: true,
  });
  for (const part of [
    'archive.url',
    'archive.typo: unknown key',
    'archive.auth.password',
    'broker.url',
    'broker.prefetch',
    'what: unknown key',
  ])
    expect(text).toContain(part);
});

describe('rules of priority', () => {
  const withRules = (rules: unknown) => ({ ...MINIMAL, priority: { rules } });

  test('any of the documented keywords, lists of values, padding taken off', () => {
    const rules = [{ Modality: ['DX'], ViewPosition: ['AP'] }, { StudyDescription: [' *portable* '] }];
    expect(parseConfig(withRules(rules)).priority).toEqual({
      rules: [rules[0], { StudyDescription: ['*portable*'] }],
      routineEvery: 4,
      timeoutMs: 5_000,
    });
    expect(parseConfig(withRules([])).priority.rules).toEqual([]);
  });

  test('others are named, and so is a rule that would match everything', () => {
    const text = problemsOf(
      withRules([{ PatientName: ['Doe*'] }, {}, { ViewPosition: 'AP' }, { ViewPosition: [] }, { ViewPosition: [' '] }]),
    );
    for (const part of [
      'priority.rules.0.PatientName: unknown key',
      'priority.rules.1: a rule needs a condition',
      'priority.rules.2.ViewPosition',
      'priority.rules.3.ViewPosition',
      'priority.rules.4.ViewPosition.0',
    ])
      expect(text).toContain(part);
  });

  test('docs/configuration.md lists the keywords and no other', () => {
    const page = readFileSync(resolve(__dirname, '../../docs/configuration.md'), 'utf8');
    const section = page.slice(page.indexOf('### Rules'), page.indexOf('\n## ', page.indexOf('### Rules')));
    expect([...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])).toEqual([...RULE_KEYWORDS].sort());
  });
});

describe('outside loopback', () => {
  const tls = { certFile: 'cert.pem', keyFile: 'key.pem' };
  const oidc = { issuer: 'https://login.example', clientId: 'hilum' };
  const proxied = { trustedProxies: ['10.0.0.5'], publicUrl: 'https://hilum.example' };

  test.each([
    [
      'every address, nothing else',
      { http: { host: '0.0.0.0' } },
      ['access.kind: nobody has to sign in', 'http.tls: without TLS the service is allowed on loopback only'],
    ],
    ['a name', { http: { host: 'hilum.hospital.example' } }, ['access.kind', 'http.tls']],
    ['every address of IPv6', { http: { host: '::' } }, ['access.kind', 'http.tls']],
    ['TLS without sign-in', { http: { host: '0.0.0.0', tls } }, ['access.kind']],
    ['sign-in without TLS', { http: { host: '0.0.0.0' }, access: { kind: 'local' } }, ['http.tls']],
    ['a proxy before loopback, without sign-in', { http: proxied }, ['access.kind']],
    [
      'a public name before loopback, without sign-in',
      { http: { publicUrl: 'https://hilum.example' } },
      ['access.kind', 'http.tls'],
    ],
    [
      'a proxy without its public name',
      { http: { host: '0.0.0.0', trustedProxies: ['10.0.0.5'] }, access: { kind: 'local' } },
      ['http.publicUrl: is needed behind a reverse proxy'],
    ],
    [
      'a proxy without TLS',
      {
        http: { host: '0.0.0.0', trustedProxies: ['10.0.0.5'], publicUrl: 'http://hilum.example' },
        access: { kind: 'local' },
      },
      ['http.publicUrl: is needed behind a reverse proxy'],
    ],
    [
      'OpenID Connect without a public name',
      { http: { host: '0.0.0.0', tls }, access: { kind: 'oidc', oidc } },
      ['http.publicUrl: is needed for OpenID Connect'],
    ],
    [
      'a provider without TLS',
      { access: { kind: 'oidc', oidc: { issuer: 'http://login.example', clientId: 'hilum' } } },
      ['access.oidc.issuer: begins with https://'],
    ],
    ['OpenID Connect without a provider', { access: { kind: 'both' } }, ['access.oidc: is needed']],
    [
      'a proxy that is no address',
      { http: { ...proxied, trustedProxies: ['proxy'] }, access: { kind: 'local' } },
      ['http.trustedProxies.0: is an address'],
    ],
  ])('%s: refused', (_what, settings, problems) => {
    const text = problemsOf({ ...MINIMAL, ...settings });
    for (const part of problems) expect(text).toContain(part);
    expect(text).toContain(`has ${problems.length} problem(s)`);
  });

  test.each([
    ['loopback, no sign-in', { http: { host: '::1' } }],
    ['a certificate and accounts', { http: { host: '0.0.0.0', tls }, access: { kind: 'local' } }],
    [
      'a proxy and OpenID Connect',
      {
        http: { host: '0.0.0.0', ...proxied, trustedProxies: ['10.0.0.0/24', 'fd00::/8'] },
        access: { kind: 'oidc', oidc },
      },
    ],
    [
      'a proxy on this machine',
      { http: { ...proxied, trustedProxies: ['127.0.0.1'] }, access: { kind: 'both', oidc } },
    ],
  ])('%s: taken', (_what, settings) => {
    expect(parseConfig({ ...MINIMAL, ...settings }).http).toMatchObject(
      'host' in settings.http ? { host: settings.http.host } : { host: '127.0.0.1' },
    );
  });
});

test('secrets come from the environment or a file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hilum-config-'));
  writeFileSync(join(dir, 'token'), 'abc\n');
  writeFileSync(
    join(dir, 'hilum.yaml'),
    'archive: {url: "http://${env:HILUM_TEST_HOST}/dicom-web", auth: {kind: bearer, token: "${file:token}"}}\n' +
      'broker: {url: "amqp://b"}\nmodels: {dir: own}\n',
  );
  process.env['HILUM_TEST_HOST'] = 'archive.example';
  const config = readConfig(join(dir, 'hilum.yaml'));
  delete process.env['HILUM_TEST_HOST'];
  expect(config.archive).toMatchObject({
    url: 'http://archive.example/dicom-web',
    auth: { kind: 'bearer', token: 'abc' },
  });
  expect(config.models.dir).toBe(join(dir, 'own'));
});

test.each([
  ['a stray quote', 'broker:\n  password: "Hidden-word', 'line 3, column 1: MISSING_CHAR'],
  ['text behind a quote', "broker:\n  password: 'a'Hidden-word", 'line 2, column 16: UNEXPECTED_TOKEN'],
  ['a tag that is none', 'broker:\n  password: !Hidden-word!x y', 'line 2, column 13: TAG_RESOLVE_FAILED'],
  ['a block that is none', 'broker:\n  password: |Hidden-word', 'line 2, column 14: UNEXPECTED_TOKEN'],
  ['an alias that is none', 'broker:\n  password: *Hidden-word', 'an alias without its anchor'],
])('%s on the line of a password: its place is told, and nothing of the line', async (_what, text, told) => {
  const path = join(mkdtempSync(join(tmpdir(), 'hilum-config-')), 'hilum.yaml');
  writeFileSync(path, `${text}\n`);
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  const failures: unknown[] = [];
  try {
    readConfig(path);
  } catch (error) {
    failures.push(error);
  }
  await applyThreshold(path, { threshold: 0.5, finding: null }, readConfig).catch((error: unknown) =>
    failures.push(error),
  );
  expect(failures).toHaveLength(2);
  for (const failure of failures) {
    expect((failure as Error).message).toContain(told);
    expect(inspect(failure) + describeError(failure) + describeFailure(failure)).not.toContain('Hidden');
  }
  expect(JSON.stringify(warned.mock.calls)).not.toContain('Hidden');
  warned.mockRestore();
});

test('a missing variable or secret file is a named problem', () => {
  expect(problemsOf({ ...MINIMAL, archive: { url: 'http://${env:HILUM_NOT_SET}/' } })).toContain(
    'archive.url: the environment variable HILUM_NOT_SET is not set',
  );
  expect(problemsOf({ ...MINIMAL, broker: { url: 'amqp://${file:/nowhere/x}' } })).toContain(
    "broker.url: the file /nowhere/x can't be read",
  );
});

describe('roles', () => {
  test('all by default, each by itself', () => {
    expect(parseConfig(MINIMAL).roles).toEqual(['worker', 'list', 'catch-up', 'sinks']);
    for (const role of ROLES) expect(parseConfig({ ...MINIMAL, roles: [role] }).roles).toEqual([role]);
  });

  test.each([
    ['none', [], 'roles: must name at least one of worker, list, catch-up, sinks'],
    ['one twice', ['worker', 'worker'], 'roles: must name each role once'],
    ['one that is none', ['web'], 'roles.0: '],
    ['no list', 'worker', 'roles: '],
  ])('%s is refused', (_name, roles, problem) => expect(problemsOf({ ...MINIMAL, roles })).toContain(problem));

  test('in shadow mode a catch-up has its worker beside it', () => {
    const shadow = { ...MINIMAL, results: { mode: 'shadow' } };
    expect(problemsOf({ ...shadow, roles: ['catch-up'] })).toContain('roles: catch-up needs the role worker beside it');
    const fine = [{ roles: ['worker'] }, { roles: ['worker', 'catch-up'] }, { roles: ['sinks'] }];
    for (const more of fine) expect(() => parseConfig({ ...shadow, ...more })).not.toThrow();
    expect(() => parseConfig({ ...shadow, roles: ['catch-up'], catchUp: { kind: 'off' } })).not.toThrow();
  });
});

test('the configuration can not be changed after it was read', () => {
  const config = parseConfig(MINIMAL);
  expect(() => ((config.http as { port: number }).port = 1)).toThrow(TypeError);
});

test('the sample configuration is valid and docs/configuration.md names every key', () => {
  const root = resolve(__dirname, '../..');
  expect(() => readConfig(join(root, 'config/hilum.yaml'))).not.toThrow();
  const docs = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  expect(keysOf(configSchema).filter((key) => !docs.includes(`\`${key}\``))).toEqual([]);
});

function keysOf(schema: unknown, path = ''): string[] {
  const def = (
    schema as {
      _zod?: { def: { type: string; shape?: Record<string, unknown>; innerType?: unknown; options?: unknown[] } };
    }
  )._zod?.def;
  if (def?.innerType) return keysOf(def.innerType, path);
  if (def?.type === 'union')
    return [path, ...(def.options ?? []).flatMap((option) => keysOf(option, path).filter((key) => key !== path))];
  if (!def?.shape) return [path];
  return Object.entries(def.shape).flatMap(([key, inner]) => keysOf(inner, path ? `${path}.${key}` : key));
}

describe('deliveries', () => {
  const withDeliveries = (deliveries: unknown) => ({ ...MINIMAL, deliveries });
  const secret = `whsec_${Buffer.alloc(24).toString('base64')}`;

  test('all are off, and one that is off may hold a part', () => {
    const { awayHours, ...sinks } = parseConfig(withDeliveries({ ups: { worklistLabel: 'Chest' } })).deliveries;
    const blocks = Object.values(sinks) as { enabled: boolean }[];
    expect(blocks.filter(({ enabled }) => enabled)).toEqual([]);
    expect(awayHours).toBe(72);
  });

  test('what is on names what it needs', () => {
    const text = problemsOf(
      withDeliveries({
        ups: { enabled: true },
        metadata: { enabled: true, priority: 1025 },
        webhook: { enabled: true, url: 'http://x/' },
        email: { enabled: true },
      }),
    );
    for (const part of [
      'deliveries.ups.url',
      'deliveries.metadata.url',
      'deliveries.webhook.secret',
      'deliveries.email.host',
      'deliveries.email.from',
      'deliveries.email.to',
    ])
      expect(text).toContain(part);
  });

  test.each([
    [
      'a short secret',
      { webhook: { enabled: true, url: 'https://x/', secret: 'whsec_abc' } },
      'deliveries.webhook.secret',
    ],
    [
      'patients in the clear',
      { webhook: { enabled: true, url: 'http://x/', secret, includePatient: true } },
      'deliveries.webhook.url: must be https',
    ],
    [
      'patients in a mail in the clear',
      {
        email: {
          enabled: true,
          host: 'x',
          from: 'a@b.example',
          to: ['c@d.example'],
          security: 'none',
          includePatient: true,
        },
      },
      'deliveries.email.security',
    ],
    [
      'a password in the clear',
      {
        email: { enabled: true, host: 'x', from: 'a@b.example', to: ['c@d.example'], security: 'none', username: 'u' },
      },
      'deliveries.email.security',
    ],
    [
      'two metadata of one number',
      { metadata: { enabled: true, url: 'http://x/', priority: 1025 } },
      'three different numbers',
    ],
  ])('%s is refused', (_name, deliveries, part) => expect(problemsOf(withDeliveries(deliveries))).toContain(part));

  test('paths of TLS files start at the file', () => {
    const tls = { caFile: 'ca.pem' };
    const { ups, email, fhir } = parseConfig(
      withDeliveries({ ups: { tls }, email: { tls }, fhir: [{ name: 'a', tls }] }),
      '/etc/hilum',
    ).deliveries;
    expect(ups).toMatchObject({ tls: { caFile: '/etc/hilum/ca.pem' } });
    expect(email).toMatchObject({ tls: { caFile: '/etc/hilum/ca.pem' } });
    expect(fhir).toMatchObject([{ tls: { caFile: '/etc/hilum/ca.pem' } }]);
  });

  describe('several of one kind', () => {
    const his = { name: 'his', enabled: true, url: 'https://his/', secret };

    test('each has a name and all keys of one block, with their defaults', () => {
      const { deliveries } = parseConfig(withDeliveries({ webhook: [his, { name: 'ris-2' }] }));
      expect(deliveries.webhook).toMatchObject([
        { ...his, when: 'urgent' },
        { name: 'ris-2', enabled: false, when: 'urgent' },
      ]);
      expect(parseConfig(withDeliveries({ webhook: [] })).deliveries.webhook).toEqual([]);
    });

    test('every problem is named with its whole path', () => {
      const text = problemsOf(
        withDeliveries({
          webhook: [
            { ...his, url: 'ftp://his/', typo: 1, auth: { kind: 'basic', username: 'a' } },
            { ...his, name: 'HIS' },
            { enabled: false },
          ],
          email: [{ name: 'a', enabled: true, host: 'x', to: ['c@d.example'] }],
          hl7: { port: 0, typo: 1 },
          fhir: 'https://x/',
          ups: { name: 'one-block' },
        }),
      );
      for (const part of [
        'deliveries.webhook.0.url: ',
        'deliveries.webhook.0.typo: unknown key',
        'deliveries.webhook.0.auth.password: ',
        'deliveries.webhook.1.name: must be 1 to 24 small letters, digits and hyphens',
        'deliveries.webhook.2.name: ',
        'deliveries.email.0.from: is needed where this delivery is enabled',
        'deliveries.hl7.port: ',
        'deliveries.hl7.typo: unknown key',
        'deliveries.fhir: must be one block, or a list of blocks with a name each',
        'deliveries.ups.name: unknown key',
      ])
        expect(text).toContain(part);
      expect(text).toContain('has 10 problem(s)');
    });

    test.each([
      ['two of one name', [his, { name: 'ris' }, his], 'deliveries.webhook.2.name: is the name of another block'],
      [
        'a name whose queue another sink has',
        [{ ...his, name: 'dead' }],
        'deliveries.webhook.0.name: must not be dead',
      ],
    ])('%s: refused', (_name, webhook, part) => expect(problemsOf(withDeliveries({ webhook }))).toContain(part));
  });
});
