import { fhirReceiver, type FhirReceiver } from '../support/receivers/fhir-receiver';
import { hl7Receiver, type Hl7Receiver } from '../support/receivers/hl7-receiver';
import { until } from '../support/servers/servers';
import { Site } from '../support/servers/site';

const site = Site.forTests();
let hl7: Hl7Receiver;
let fhir: FhirReceiver;

beforeAll(async () => {
  [hl7, fhir] = await Promise.all([hl7Receiver(['die']), fhirReceiver()]);
}, 60_000);
afterAll(() => Promise.all([hl7.stop(), fhir.stop()]));

interface Report {
  readonly imagingStudy: readonly { readonly identifier: { readonly value: string } }[];
  readonly conclusion: string;
}

test('from the film to both receivers: the report in the archive, the HL7 message and the FHIR resources say the same; with one receiver dead the other is told', async () => {
  const deliveries = {
    hl7: { enabled: true, host: '127.0.0.1', port: hl7.port },
    fhir: { enabled: true, url: fhir.url },
  };
  const study = await site.put(1);
  // Fewer tries than the receiver is away for: those are counted for themselves.
  const worker = await site.work({ deliveries, broker: { retryLimit: 2 } });
  await site.tell(study);
  await worker.saw('study.done', study);
  const reports = await until('the FHIR report', async () => {
    const found = (await fhir.all('DiagnosticReport')) as unknown as Report[];
    return found.length > 0 && found;
  });
  expect(reports[0]!.imagingStudy[0]!.identifier.value).toBe(`urn:oid:${study}`);
  await until('the HL7 receiver is dead', () => hl7.noted().length === 1);
  const { text } = await worker.get('/metrics');
  expect(text).toContain('hilum_deliveries_total{sink="fhir",result="done"} 1\n');
  expect((await worker.get('/health/ready')).status).toBe(200);
  await until('it was looked for in vain', () => worker.lines('delivery.retry').length > 2);
  await hl7.restart();
  await until('the HL7 message', () => hl7.noted().some(({ step }) => step === 'AA'));
  const [first, second] = hl7.noted();
  expect(second!.controlId).toBe(first!.controlId);

  const [film] = await site.ask<
    { MainDicomTags: Record<string, string>; PatientMainDicomTags: Record<string, string> }[]
  >('/tools/find', {
    method: 'POST',
    body: JSON.stringify({ Level: 'Study', Expand: true, Query: { StudyInstanceUID: study } }),
  });
  expect(second!.patientId[0]![0]).toBe(film!.PatientMainDicomTags['PatientID']);
  expect(second!.accession).toBe(film!.MainDicomTags['AccessionNumber'] ?? '');
  const said = (concept: string) =>
    second!.observations.find(({ concept: codes }) => codes[0]![0] === concept)?.value[0]![0];
  const [report] = await site.ask<{ MainDicomTags: { SOPInstanceUID: string } }[]>('/tools/find', {
    method: 'POST',
    body: JSON.stringify({ Level: 'Instance', Expand: true, Query: { StudyInstanceUID: study, Modality: 'SR' } }),
  });
  expect(said('report')).toBe(report!.MainDicomTags.SOPInstanceUID);
  expect(reports[0]!.conclusion).toContain(said('121111'));
  await until('both are acknowledged', async () =>
    /hilum_delivery_messages\{sink="hl7",state="retry"\} 0\n/.test((await worker.get('/metrics')).text),
  );
  expect(await site.dead()).toEqual([]);
});
