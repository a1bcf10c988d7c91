import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { readConfig } from '../../src/base/config';

const ROOT = resolve(__dirname, '../..');
const DOCKER = join(ROOT, 'docker');
const read = (name: string) => readFileSync(join(DOCKER, name), 'utf8');

interface Service {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

const text = read('compose.yaml');
const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);

test('every port is published on loopback unless somebody says otherwise; RabbitMQ on none', () => {
  for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^\$\{HILUM_BIND:-127\.0\.0\.1\}:\d+:\d+$/);
  expect(compose.services.rabbitmq!.ports).toBeUndefined();
});

test('no secret has a default, and .env.example names each variable', () => {
  const variables = [...text.matchAll(/\$\{([A-Z_]+)(:[-?])?/g)].map((match) => ({ name: match[1]!, kind: match[2] }));
  for (const { name, kind } of variables) {
    if (name.includes('PASSWORD')) expect([name, kind]).toEqual([name, ':?']);
    expect(read('.env.example')).toMatch(new RegExp(`^${name}=`, 'm'));
  }
  expect(read('.env.example')).not.toMatch(/PASSWORD=./);
  expect(read('.gitignore').split('\n')).toContain('.env');
});

test('what is built, mounted and depended on is there', () => {
  for (const [, service] of services) {
    if (service.build) expect(existsSync(join(DOCKER, service.build.context, service.build.dockerfile))).toBe(true);
    for (const volume of service.volumes ?? []) {
      const source = volume.split(':')[0]!;
      expect(source.startsWith('.') ? existsSync(join(DOCKER, source)) : source in compose.volumes).toBe(true);
    }
    const needed = service.depends_on ?? [];
    for (const name of Array.isArray(needed) ? needed : Object.keys(needed)) expect(Object.keys(compose.services)).toContain(name);
  }
});

test('what the images copy is there, and the ignore file lets it through', () => {
  const allowed = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const copied = ['Dockerfile', 'ohif.Dockerfile', 'orthanc.Dockerfile'].flatMap((name) => [...read(name).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]!.split(' ')));
  expect(copied).toContain('models');
  for (const name of copied) {
    expect(existsSync(join(ROOT, name))).toBe(true);
    expect(allowed.some((entry) => name === entry || name.startsWith(`${entry}/`))).toBe(true);
  }
});

test("the service's configuration is valid with the environment that compose gives it", () => {
  const given = compose.services.hilum!.environment!;
  const before = { ...process.env };
  Object.assign(process.env, Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.replace(/\$\{[^}]+\}/g, 'secret')])));
  try {
    const config = readConfig(join(DOCKER, 'hilum.yaml'));
    expect(config.archive).toMatchObject({ url: 'http://orthanc:8042/dicom-web', auth: { kind: 'basic', username: 'hilum', password: 'secret' } });
    expect(config.broker.url).toBe('amqp://hilum:secret@rabbitmq:5672');
    expect(config.http).toEqual({ host: '0.0.0.0', port: 8080 });
  } finally {
    process.env = before;
  }
});

test("Orthanc's users are JSON, and the plug-in's path is the mounted one", () => {
  const { environment, volumes } = compose.services.orthanc!;
  const users = JSON.parse(environment!.ORTHANC__REGISTERED_USERS!.replace(/\$\{[^}]+\}/g, 'secret')) as Record<string, string>;
  expect(Object.keys(users)).toContain(compose.services.hilum!.environment!.HILUM_ARCHIVE_USER);
  const mount = volumes!.map((volume) => volume.split(':')).find(([source]) => source === '../plugin/orthanc')!;
  expect(environment!.ORTHANC__PYTHON_SCRIPT).toBe(`${mount[1]}/hilum_orthanc.py`);
});
