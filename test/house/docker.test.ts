import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { VIEWER_VERSION } from '../../scripts/lib/viewer.cjs';
import { parseConfig, readConfig } from '../../src/config/config';

const ROOT = resolve(__dirname, '../..');
const DOCKER = join(ROOT, 'docker');
const read = (name: string) => readFileSync(join(DOCKER, name), 'utf8');
const DOCKERFILES = ['Dockerfile', 'orthanc.Dockerfile', 'ohif.Dockerfile'];

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly container_name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

const text = read('compose.yaml');
const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const service = (name: string): Service => compose.services[name]!;

/** What Compose makes of the variables, with `secret` for every one that has to be set. */
const filled = (value: string) =>
  value.replace(/\$\{[A-Z_]+:\?[^}]+\}/g, 'secret').replace(/\$\{[A-Z_]+:-([^}]+)\}/g, '$1');

interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
}

/** What a Dockerfile copies, from the repository or from an earlier stage. */
function copies(name: string, fromStage: boolean): Copy[] {
  return [...read(name).matchAll(/^COPY (--from=\S+ )?(.+) (\S+)$/gm)]
    .filter(([, from]) => (from !== undefined) === fromStage)
    .map(([, , sources, target]) => ({ sources: sources!.split(' '), target: target! }));
}

test('every port is published on loopback unless somebody says otherwise; AMQP on none', () => {
  const ports = services.flatMap(([, { ports: all = [] }]) => all);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) {
    expect(port).toMatch(/^(\$\{HILUM_BIND:-127\.0\.0\.1\}|127\.0\.0\.1):\d+:\d+$/);
    expect(filled(port)).toMatch(/^127\.0\.0\.1:/);
  }
  expect(ports.filter((port) => port.endsWith(':5672'))).toEqual([]);
});

test('no secret has a default, and .env.example names each variable', () => {
  const variables = [...text.matchAll(/\$\{([A-Z_]+)(:[-?])?/g)].map((match) => ({ name: match[1]!, kind: match[2] }));
  for (const { name, kind } of variables) {
    if (name.includes('PASSWORD')) expect([name, kind]).toEqual([name, ':?']);
    expect(read('.env.example')).toMatch(new RegExp(`^${name}=`, 'm'));
  }
  expect(read('.env.example')).not.toMatch(/PASSWORD=./);
  expect(read('.gitignore').split('\n')).toContain('.env');
  for (const [, { environment = {} }] of services)
    for (const [name, value] of Object.entries(environment))
      if (/PASS/.test(name)) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
});

test('what is built, mounted and depended on is there', () => {
  for (const [, { build, volumes = [], depends_on: needed = {} }] of services) {
    if (build) expect(existsSync(join(DOCKER, build.context, build.dockerfile))).toBe(true);
    for (const volume of volumes) {
      const [source, , mode] = volume.split(':') as [string, string, string?];
      const isFile = source.startsWith('.');
      expect(isFile ? existsSync(join(DOCKER, source)) : source in compose.volumes).toBe(true);
      if (isFile) expect(mode).toBe('ro');
    }
    for (const [name, { condition }] of Object.entries(needed)) {
      expect(Object.keys(compose.services)).toContain(name);
      if (condition === 'service_healthy') expect(service(name).healthcheck).toBeDefined();
    }
  }
});

test('every service comes back after a reboot; the service itself can be several and may write nothing', () => {
  for (const [, { restart }] of services) expect(restart).toBe('unless-stopped');
  const hilum = service('hilum');
  expect(hilum).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  expect([hilum.container_name, hilum.ports]).toEqual([undefined, undefined]);
});

test('base images have a version', () => {
  const images = services.flatMap(([, { image }]) => image ?? []);
  const bases = DOCKERFILES.flatMap((name) =>
    [...read(name).matchAll(/^(?:FROM|ARG \w+_IMAGE=)\s*(?!\$)(\S+?)(?: AS \w+)?$/gm)].map((match) => match[1]!),
  );
  expect(bases.length).toBeGreaterThanOrEqual(4);
  for (const image of [...images, ...bases])
    expect(image.replace(/^ARG \w+=/, '')).toMatch(/:\d+(\.\d+)*(-[a-z-]+)?(@sha256:[0-9a-f]{64})?$/);
});

test('what the images copy is there, and the ignore file lets it through but no secret', () => {
  const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = DOCKERFILES.flatMap((name) => copies(name, false)).flatMap(({ sources }) => sources);
  expect(copied).toContain('models');
  for (const name of copied) {
    expect(existsSync(join(ROOT, name))).toBe(true);
    expect(allowed.some((entry) => name === entry || name.startsWith(`${entry}/`))).toBe(true);
  }
  expect(allowed.filter((entry) => 'docker/.env'.startsWith(entry))).toEqual([]);
});

test('a script that is copied by itself comes with the scripts that it needs', () => {
  const scripts = DOCKERFILES.flatMap((name) => copies(name, false)).flatMap(({ sources }) =>
    sources.filter((source) => source.endsWith('.cjs')),
  );
  expect(scripts).toContain('scripts/lib/viewer.cjs');
  const needed = scripts.flatMap((script) =>
    [...readFileSync(join(ROOT, script), 'utf8').matchAll(/require\('(\.[^']+)'\)/g)].map(([, name]) =>
      join(dirname(script), name!),
    ),
  );
  expect(needed.filter((name) => !scripts.includes(name))).toEqual([]);
});

test('pip takes nothing but what is named by its digest', () => {
  const installs = DOCKERFILES.flatMap((name) => [...read(name).matchAll(/pip install [^\n]*/g)].map(([line]) => line));
  expect(installs).toHaveLength(1);
  for (const line of installs) expect(line).toMatch(/--require-hashes --no-deps -r \S+/);
  const entries = read('orthanc-requirements.txt')
    .replace(/\\\n/g, '')
    .split('\n')
    .filter((line) => /^\w/.test(line));
  expect(entries.length).toBeGreaterThan(0);
  for (const entry of entries) expect(entry).toMatch(/^[\w-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+$/);
});

test("the service's image has what the package needs to run, starts it, and runs on a supported Node without rights", () => {
  const { bin, engines, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    bin: { hilum: string };
    engines: { node: string };
    scripts: { build: string };
  };
  const built = copies('Dockerfile', true).map(({ target }) => target);
  const taken = copies('Dockerfile', false).flatMap(({ sources }) => sources);
  // The program, its packages, and what src/app/installed.ts reads beside dist: version, models, documentation.
  const [, program] = /'(dist\/\S+)'/.exec(readFileSync(join(ROOT, bin.hilum), 'utf8'))!;
  expect(built).toEqual(['node_modules', program!.split('/')[0]]);
  expect(taken).toEqual(
    expect.arrayContaining([
      'package.json',
      'models',
      'docs',
      'LICENSE',
      'package-lock.json',
      '.npmrc',
      'src',
      'tsconfig.build.json',
    ]),
  );
  for (const [script] of scripts.build.matchAll(/scripts(?=\/\S+\.mjs)/g)) expect(taken).toContain(script);
  const file = read('Dockerfile');
  const entry = JSON.parse(/^ENTRYPOINT (\[.+\])$/m.exec(file)![1]!) as string[];
  expect(entry).toEqual(['node', `${/^WORKDIR (\S+)$/m.exec(file)![1]}/${program}`]);
  const mounted = service('hilum').volumes!.map((volume) => volume.split(':')[1]);
  expect(mounted).toContain((JSON.parse(/^CMD (\[.+\])$/m.exec(file)![1]!) as string[]).at(-1));
  expect(Number(/NODE_IMAGE=node:(\d+)/.exec(file)![1])).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)![0]));
  expect(file).toMatch(/^USER node$/m);
  expect(file).toMatch(/^ENV .*ORT_DISABLE_TELEMETRY=1/m);
});

describe("the service's configuration", () => {
  const before = { ...process.env };
  beforeAll(() => {
    for (const [name, value] of Object.entries(service('hilum').environment!)) process.env[name] = filled(value);
  });
  afterAll(() => {
    process.env = before;
  });

  test('is valid with the environment that compose gives it', () => {
    const config = readConfig(join(DOCKER, 'hilum.yaml'));
    expect(config.archive).toMatchObject({
      url: 'http://orthanc:8042/dicom-web',
      auth: { kind: 'basic', username: 'hilum', password: 'secret' },
    });
    expect(config.broker.url).toBe('amqp://hilum:secret@rabbitmq:5672');
    // Health is asked for inside the container only; anything more needs sign-in and TLS.
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 8080 });
    expect(read('Dockerfile')).toContain(`http://127.0.0.1:${config.http.port}/health/`);
  });

  test('leaves less time for the study in hand than Compose and systemd give the process', () => {
    const { stopTimeoutMs } = readConfig(join(DOCKER, 'hilum.yaml'));
    expect(Number(/^(\d+)s$/.exec(service('hilum').stop_grace_period!)![1]) * 1000).toBeGreaterThan(
      stopTimeoutMs + 10_000,
    );
    const unit = readFileSync(join(ROOT, 'config/hilum.service'), 'utf8');
    const byDefault = parseConfig({
      archive: { url: 'http://localhost/dicom-web' },
      broker: { url: 'amqp://localhost' },
    }).stopTimeoutMs;
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) * 1000).toBeGreaterThan(byDefault + 10_000);
  });
});

describe("Orthanc's configuration", () => {
  interface OrthancSettings {
    readonly PythonScript: string;
    readonly RegisteredUsers: Readonly<Record<string, string>>;
    readonly AuthenticationEnabled: boolean;
    readonly DicomWeb: { readonly Enable: boolean; readonly Root: string };
    readonly Hilum: { readonly AmqpUrl: string; readonly Exchange: string; readonly SpoolDirectory: string };
  }
  const json = read('orthanc.json');
  const settings = JSON.parse(json) as OrthancSettings;
  const { environment = {}, volumes = [] } = service('orthanc');

  test('takes every secret from the environment that compose gives it', () => {
    for (const [, name] of json.matchAll(/\$\{([^}]+)\}/g)) expect(Object.keys(environment)).toContain(name);
    for (const password of Object.values(settings.RegisteredUsers)) expect(password).toMatch(/^\$\{[A-Z_]+\}$/);
    expect(settings.AuthenticationEnabled).toBe(true);
    // Compose gives the service the account that Orthanc knows.
    const { HILUM_ARCHIVE_USER = '', HILUM_ARCHIVE_URL = '', HILUM_ARCHIVE_PASSWORD } = service('hilum').environment!;
    expect(settings.RegisteredUsers[HILUM_ARCHIVE_USER]).toBe('${HILUM_ARCHIVE_PASSWORD}');
    expect(environment.HILUM_ARCHIVE_PASSWORD).toBe(HILUM_ARCHIVE_PASSWORD);
    expect(new URL(HILUM_ARCHIVE_URL).pathname).toBe(settings.DicomWeb.Root.replace(/\/$/, ''));
    expect(settings.DicomWeb.Enable).toBe(true);
  });

  test('names the plug-in where the image has it, and is mounted where the image reads it', () => {
    const copied = new Map(copies('orthanc.Dockerfile', false).map(({ sources, target }) => [sources[0], target]));
    expect(copied.get('plugin/orthanc/hilum_orthanc.py')).toBe(settings.PythonScript);
    expect(volumes).toContain(`./orthanc.json:${copied.get('docker/orthanc.json')}:ro`);
    expect(settings.Hilum).toEqual({
      AmqpUrl: '${HILUM_AMQP_URL}',
      Exchange: 'hilum.study',
      SpoolDirectory: '/var/lib/orthanc/db/hilum-spool',
    });
    // What waits for the broker outlives the container.
    expect(volumes).toContain('orthanc:/var/lib/orthanc/db');
  });
});

test("the broker's account may do what the topology needs and nothing to other names", () => {
  const rights = Object.fromEntries(
    [...read('rabbitmq.conf').matchAll(/^default_permissions\.(\w+) = (.+)$/gm)].map((match) => [
      match[1],
      new RegExp(match[2]!),
    ]),
  );
  for (const name of ['hilum.study', 'hilum.result', 'hilum.study.retry.30m', 'hilum.study.dead'])
    for (const right of ['configure', 'write', 'read'])
      expect([name, right, rights[right]!.test(name)]).toEqual([name, right, true]);
  expect(rights.write!.test('amq.default')).toBe(true);
  for (const name of ['other', 'other.hilum.study', 'hilumx', 'amq.topic'])
    for (const right of ['configure', 'write', 'read'])
      expect([name, right, rights[right]!.test(name)]).toEqual([name, right, false]);
  // RabbitMQ 3.10 takes the two for one another.
  expect(rights.write).toEqual(rights.read);
});

test('the viewer is the one that the tests look at, logs no query, and shows nothing without a sign-in', () => {
  expect(read('README.md')).toContain(`OHIF ${VIEWER_VERSION}`);
  const nginx = read('ohif/nginx.conf');
  expect(nginx).toMatch(/^\s*access_log off;/m);
  expect(nginx).toMatch(/location \/ \{\s+auth_request /);
  expect(nginx).toContain('http://orthanc:8042');
  expect(service('ohif').ports![0]).toMatch(new RegExp(`:${/listen (\d+);/.exec(nginx)![1]}$`));
});
